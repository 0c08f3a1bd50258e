import gzip
import json
import threading
from collections.abc import Iterator

import pytest

from ami_exporter.exposition.formats import Format
from ami_exporter.web.views import ReloadOutcome, Selection
from tests.support.web import FakeService, Running, running


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running() as server:
        yield server


def last_scrape(web: Running) -> tuple[str | None, Selection, str | None, Format]:
    return web.service.scrapes[-1]


def test_metrics_answers_with_the_body_of_the_service(web: Running) -> None:
    answer = web.ask("/metrics")
    assert (answer.status, answer.body) == (200, b"asterisk_up 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["content-length"] == "14"
    assert "server" not in answer.headers
    assert last_scrape(web) == (None, Selection(), None, Format.TEXT_004)


def test_a_probe_hands_on_target_collectors_timeout_and_format(web: Running) -> None:
    web.ask(
        "/probe?target=pbx2&collect[]=core&collect%5B%5D=queues",
        headers={"X-Prometheus-Scrape-Timeout-Seconds": "7.5", "Accept": "application/openmetrics-text;version=1.0.0"},
    )
    select = Selection(collect=frozenset({"core", "queues"}))
    assert last_scrape(web) == ("pbx2", select, "7.5", Format.OPENMETRICS_100)


def test_exclude_is_handed_on(web: Running) -> None:
    web.ask("/metrics?exclude[]=core")
    assert last_scrape(web) == (None, Selection(exclude=frozenset({"core"})), None, Format.TEXT_004)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/probe", "parameter target is missing; valid targets: pbx1, pbx2\n"),
        ("/probe?target=", 'unknown target ""; valid targets: pbx1, pbx2\n'),
        ("/probe?target=pbx9", 'unknown target "pbx9"; did you mean "pbx2"?; valid targets: pbx1, pbx2\n'),
        ("/probe?target=pbx1&target=pbx2", "parameter target stands more than once; valid targets: pbx1, pbx2\n"),
        ("/probe?target=10.0.0.1:5038", 'unknown target "10.0.0.1:5038"; valid targets: pbx1, pbx2\n'),
        (
            "/probe?target=pbx1&module=x",
            'unknown parameter "module"; valid parameters: collect[], exclude[], target\n',
        ),
        ("/metrics?target=pbx1", 'unknown parameter "target"; valid parameters: collect[], exclude[]\n'),
        (
            "/metrics?collect[]=queue",
            'unknown collector "queue"; did you mean "queues"?; valid collectors: channels, core, queues\n',
        ),
        ("/metrics?exclude[]=nope", 'unknown collector "nope"; valid collectors: channels, core, queues\n'),
        (
            "/metrics?collect[]=core&exclude[]=queues",
            "collect[] and exclude[] exclude each other: give only one of them\n",
        ),
        ("/probe?target=%00", "the query holds control characters\n"),
        ("/probe?target=pbx1%0d%0aX: y".replace(" ", "%20"), "the query holds control characters\n"),
        ("/probe?target=%ff%fe", "the query is not UTF-8 after percent-decoding\n"),
        ("/probe?target=%zz", "the query has a % that is not followed by two hexadecimal digits\n"),
        ("/probe?target=%", "the query has a % that is not followed by two hexadecimal digits\n"),
        ("/metrics?" + "a" * 8193, "the query is 8193 bytes long, at most 8192 are read\n"),
        ("/metrics?" + "&".join(["collect[]=core"] * 201), "the query has 201 parameters, at most 200 are read\n"),
    ],
)
def test_a_wrong_query_is_a_400_that_names_what_is_valid(web: Running, path: str, message: str) -> None:
    before = len(web.service.scrapes)
    answer = web.ask(path)
    assert (answer.status, answer.text) == (400, message)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(web.service.scrapes) == before


def test_a_long_unknown_name_is_repeated_only_in_part(web: Running) -> None:
    answer = web.ask("/probe?target=" + "x" * 4000)
    assert answer.status == 400
    assert len(answer.body) < 200


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/metrics/",
        "//metrics",
        "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/metrics%00",
        "/metrics%2f..%2fconfig",
        "/probe/../config",
        "/-/",
        "/-/reload/",
        "*",
    ],
)
def test_any_other_path_is_a_404(web: Running, path: str) -> None:
    assert web.ask(path).status == 404


def test_a_wrong_path_is_told_where_metrics_and_page_are() -> None:
    with running(telemetry_path="/m", route_prefix="/pbx") as web:
        assert (
            web.ask("/metrics/").text
            == "no such path; metrics are on /pbx/m, the status page with all links on /pbx/\n"
        )


def test_an_overlong_path_is_a_414(web: Running) -> None:
    assert web.ask("/" + "a" * 1025).status == 414


def test_a_proxys_form_of_the_path_is_understood(web: Running) -> None:
    assert web.ask("http://pbx.example.net/sd").status == 200
    assert web.ask("http://pbx.example.net").status == 200
    assert web.ask("http://pbx.example.net/nope").status == 404


def test_head_answers_as_get_without_the_body(web: Running) -> None:
    answer = web.ask("/metrics", "HEAD")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "14")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/metrics", "GET, HEAD"),
        ("DELETE", "/probe", "GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
        ("TRACE", "/sd", "GET, HEAD"),
        ("BREW", "/config", "GET, HEAD"),
        ("GET", "/-/reload", "POST"),
        ("HEAD", "/-/reload", "POST"),
        ("PUT", "/-/healthy", "GET, HEAD"),
    ],
)
def test_a_method_the_path_does_not_take_is_a_405(web: Running, method: str, path: str, allow: str) -> None:
    answer = web.ask(path, method)
    assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_discovery_lists_every_target_with_its_labels(web: Running) -> None:
    answer = web.ask("/sd")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == [
        {"targets": ["pbx1"], "labels": {"site": "site of pbx1"}},
        {"targets": ["pbx2"], "labels": {"site": "site of pbx2"}},
    ]


def test_discovery_of_nothing_is_an_empty_list() -> None:
    with running(FakeService(targets=())) as web:
        assert json.loads(web.ask("/sd").body) == []
        assert web.ask("/probe?target=a").text == 'unknown target "a"; no target is configured\n'


def test_config_shows_what_the_service_masks(web: Running) -> None:
    assert web.ask("/config").text == "targets: {}\n"


def test_health_and_readiness() -> None:
    service = FakeService()
    with running(service) as web:
        assert web.ask("/-/healthy").status == 200
        assert web.ask("/-/ready").status == 200
        service.is_ready = False
        assert web.ask("/-/healthy").status == 200
        assert web.ask("/-/ready").status == 503


def test_reload_tells_how_it_went() -> None:
    service = FakeService()
    with running(service) as web:
        answer = web.ask("/-/reload", "POST")
        assert (answer.status, answer.text, service.reloads) == (200, "configuration loaded\n", 1)
        service.outcome = ReloadOutcome(ok=False, message="config.yml:3:1: unknown key")
        answer = web.ask("/-/reload", "POST")
        assert (answer.status, answer.text, service.reloads) == (500, "config.yml:3:1: unknown key\n", 2)


class SlowReload(FakeService):
    """Its reloads wait for `hold`."""

    def reload(self) -> ReloadOutcome:
        outcome = super().reload()
        self.running.release()
        self.hold.wait(20)
        return outcome


def test_reloads_in_any_number_leave_threads_for_scrapes() -> None:
    service = SlowReload()
    service.hold.clear()
    with running(service) as web:
        asking = [threading.Thread(target=web.ask, args=["/-/reload", "POST"]) for _ in range(4)]
        for thread in asking:
            thread.start()
        for _ in range(4):
            assert service.running.acquire(timeout=20)
        refused = web.ask("/-/reload", "POST")
        assert (refused.status, refused.text) == (503, "4 reloads are already asked for\n")
        assert web.ask("/sd").status == 200
        service.hold.set()
        for thread in asking:
            thread.join(20)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:PORT"},
        {"Origin": "http://127.0.0.1:PORT.evil.example"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "garbage"},
        {"Origin": "file://"},
    ],
)
def test_another_sites_page_cannot_ask_for_a_reload(headers: dict[str, str]) -> None:
    with running() as web:
        sent = {name: value.replace("PORT", str(web.port)) for name, value in headers.items()}
        assert web.ask("/-/reload", "POST", sent).status == 403
        assert web.service.reloads == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:PORT"},
        {"Origin": "http://127.0.0.1:PORT"},
        {"Origin": "https://Example.NET:8443"},
    ],
)
def test_people_tools_and_our_own_origin_can_ask_for_a_reload(headers: dict[str, str]) -> None:
    with running(external_url="https://example.net:8443/") as web:
        sent = {name: value.replace("PORT", str(web.port)) for name, value in headers.items()}
        assert web.ask("/-/reload", "POST", sent).status == 200
        assert web.service.reloads == 1


def test_large_bodies_are_compressed_where_welcome() -> None:
    body = b"asterisk_active_channels 1\n" * 10_000
    with running(FakeService(body=body)) as web:
        packed = web.ask("/metrics", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == body
        assert packed.headers["vary"] == "Accept, Accept-Encoding"
        plain = web.ask("/metrics")
        assert "content-encoding" not in plain.headers
        assert plain.body == body


def test_a_bug_in_a_scrape_is_a_500_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with running(FakeService(error=RuntimeError("secret detail"))) as web:
        answer = web.ask("/metrics")
        assert (answer.status, answer.text) == (500, "internal error, see the exporter's log\n")
    assert "bug: metrics failed" in caplog.text


class Vanishing(FakeService):
    """A reload takes the target away between the check and the scrape."""

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        self.targets, self.error = ("pbx2",), KeyError(target)
        return super().scrape(target, select, header_timeout, fmt)


def test_a_target_removed_meanwhile_is_a_400() -> None:
    with running(Vanishing()) as web:
        answer = web.ask("/probe?target=pbx1")
        assert (answer.status, answer.text) == (400, 'target "pbx1" was just removed; valid targets: pbx2\n')


def test_a_lookup_error_about_anything_else_is_a_bug() -> None:
    with running(FakeService(error=KeyError("pbx1"))) as web:
        assert web.ask("/probe?target=pbx1").status == 500
