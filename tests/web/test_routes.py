import pytest

from ami_exporter.web.routes import Endpoint, make_routes
from tests.support.web import running


def paths(**flags: str) -> set[str]:
    return set(make_routes(**flags).table)


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
    assert make_routes("/").table["/"] is Endpoint.METRICS


def test_redirects_are_relative_so_that_any_proxy_may_stand_before_them() -> None:
    with running(route_prefix="/a/b") as web:
        for path, location in (("/", "a/b/"), ("/a/b", "b/")):
            answer = web.ask(path)
            assert (answer.status, answer.headers["location"]) == (302, location)
        assert web.ask("/a/b/").status == 200
        assert web.ask("/a/b/metrics").status == 200
        assert web.ask("/metrics").status == 404


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"telemetry_path": "metrics"}, '--web.telemetry-path: expected a path such as "/metrics"'),
        ({"telemetry_path": "/a b"}, '--web.telemetry-path: expected a path such as "/metrics"'),
        ({"telemetry_path": "/a?b"}, '--web.telemetry-path: expected a path such as "/metrics"'),
        ({"telemetry_path": "/../x"}, '--web.telemetry-path: expected a path such as "/metrics"'),
        ({"telemetry_path": "/probe"}, "--web.telemetry-path: /probe already has another use here"),
        ({"route_prefix": "/a?b"}, "--web.route-prefix: expected a path of letters"),
        ({"external_url": "example.net/a"}, "--web.external-url: expected http(s)://host[:port][/path]"),
        ({"external_url": "ftp://example.net"}, "--web.external-url: expected http(s)://host[:port][/path]"),
        ({"external_url": "http://example.net/a?b"}, "--web.external-url: expected http(s)://host[:port][/path]"),
        ({"external_url": "http://[::1"}, "--web.external-url: expected http(s)://host[:port][/path]"),
    ],
)
def test_a_flag_that_cannot_be_served_is_named(flags: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its message is the check
        make_routes(**flags)
    assert str(caught.value).startswith(message)
