import re
from collections.abc import Callable

import pytest

from ami_exporter.web import flags
from ami_exporter.web.flags import WebFlags
from ami_exporter.web.routes import Endpoint, make_routes
from tests.support.web import running


def paths(route_prefix: str | None = None, external_url: str = "") -> set[str]:
    prefix = None if route_prefix is None else flags.route_prefix(route_prefix)
    return set(
        make_routes(WebFlags(route_prefix=prefix, external_url=flags.external_url(external_url or "http://x"))).table
    )


def test_without_flags_every_path_is_at_the_root() -> None:
    assert paths() == {"/", "/metrics", "/probe", "/sd", "/config", "/-/healthy", "/-/ready", "/-/reload"}


def test_a_prefix_moves_every_path_and_leads_people_there() -> None:
    assert paths(route_prefix="/pbx/") == {
        "/",
        "/pbx",
        "/pbx/",
        "/pbx/metrics",
        "/pbx/probe",
        "/pbx/sd",
        "/pbx/config",
        "/pbx/-/healthy",
        "/pbx/-/ready",
        "/pbx/-/reload",
    }


def test_the_external_urls_path_is_the_default_prefix() -> None:
    assert "/a/b/metrics" in paths(external_url="https://example.net/a/b")
    assert "/metrics" in paths(external_url="https://example.net")
    # a proxy that strips the prefix
    assert "/metrics" in paths(external_url="https://example.net/a/b", route_prefix="/")


def test_metrics_may_take_the_root() -> None:
    assert make_routes(WebFlags(telemetry_path="/")).table["/"] is Endpoint.METRICS


def test_redirects_are_relative_so_that_any_proxy_may_stand_before_them() -> None:
    with running(route_prefix="/a/b") as web:
        for path, location in (("/", "a/b/"), ("/a/b", "b/")):
            answer = web.ask(path)
            assert (answer.status, answer.headers["location"]) == (302, location)
        assert web.ask("/a/b/").status == 200
        assert web.ask("/a/b/metrics").status == 200
        assert web.ask("/metrics").status == 404


EXPECTED_PATH = "expected a path of letters, digits and -._~/"
EXPECTED_URL = "expected a URL such as https://host/asterisk/"


@pytest.mark.parametrize(
    ("check", "written", "expected"),
    [
        (flags.telemetry_path, "metrics", "expected a path that begins with /"),
        (flags.telemetry_path, "/a b", EXPECTED_PATH),
        (flags.telemetry_path, "/m%20x", EXPECTED_PATH),
        (flags.telemetry_path, "/a?b", EXPECTED_PATH),
        (flags.telemetry_path, "/../x", EXPECTED_PATH),
        (flags.telemetry_path, "/probe", "found a path that has another use, expected a path such as /metrics"),
        (flags.telemetry_path, "/-/healthy/", "found a path that has another use, expected a path such as /metrics"),
        (flags.route_prefix, "/a?b", EXPECTED_PATH),
        (flags.route_prefix, "/a/../b", EXPECTED_PATH),
        (flags.route_prefix, "a", "expected a path that begins with /"),
        (flags.external_url, "/asterisk/", EXPECTED_URL),
        (flags.external_url, "example.net/a", EXPECTED_URL),
        (flags.external_url, "ftp://example.net", EXPECTED_URL),
        (flags.external_url, "http://example.net/a?b", EXPECTED_URL),
        (flags.external_url, "http://[::1", EXPECTED_URL),
        (flags.external_url, "http://host:port/", EXPECTED_URL),
        (flags.external_url, "http:///a", EXPECTED_URL),
    ],
)
def test_a_flag_that_cannot_be_served_is_refused(check: Callable[[str], str], written: str, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        check(written)


@pytest.mark.parametrize(
    ("check", "written", "taken"),
    [
        (flags.telemetry_path, "/", "/"),
        (flags.telemetry_path, "/metrics/", "/metrics"),
        (flags.telemetry_path, "/-/metrics", "/-/metrics"),
        (flags.route_prefix, "/", ""),
        (flags.route_prefix, "/a/b/", "/a/b"),
        (flags.external_url, "https://example.net:8443/asterisk/", "https://example.net:8443/asterisk/"),
    ],
)
def test_a_flag_that_can_be_served_is_taken(check: Callable[[str], str], written: str, taken: str) -> None:
    assert check(written) == taken
