import pytest

from ami_exporter.exposition.formats import Format
from ami_exporter.web.negotiate import accepts_gzip, choose_format

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format.TEXT_004),
        (PROMETHEUS_3, Format.OPENMETRICS_100),
        (PROMETHEUS_2, Format.OPENMETRICS_100),
        (BROWSER, Format.TEXT_004),
        ("*/*", Format.TEXT_004),
        ("text/*", Format.TEXT_004),
        ("text/plain", Format.TEXT_004),
        ("text/plain; version=0.0.4", Format.TEXT_004),
        ("text/plain; version=1.0.0; escaping=underscores", Format.TEXT_100),
        ("TEXT/PLAIN;VERSION=1.0.0", Format.TEXT_100),
        ('text/plain;version="1.0.0"', Format.TEXT_100),
        ("application/openmetrics-text", Format.OPENMETRICS_100),
        # The order does not matter, the q-value does.
        (
            "text/plain;version=0.0.4;q=0.2, application/openmetrics-text;version=1.0.0;q=0.9",
            Format.OPENMETRICS_100,
        ),
        ("application/openmetrics-text;version=1.0.0;q=0.2, text/plain;version=1.0.0;q=0.9", Format.TEXT_100),
        ("text/plain;version=1.0.0, application/openmetrics-text;version=1.0.0", Format.TEXT_100),
        # Versions we do not write are passed over, never answered under a wrong label.
        ("application/openmetrics-text;version=2.0.0,text/plain;version=1.0.0;q=0.1", Format.TEXT_100),
        ("application/openmetrics-text;version=0.0.1", Format.TEXT_004),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", Format.TEXT_004),
        # q=0 is a refusal; garbled q-values are never preferred.
        ("application/openmetrics-text;version=1.0.0;q=0, text/plain;version=1.0.0;q=0.1", Format.TEXT_100),
        (
            "application/openmetrics-text;version=1.0.0;q=high, text/plain;version=1.0.0;q=0.1",
            Format.TEXT_100,
        ),
        ("application/openmetrics-text;version=1.0.0;q=nan, text/plain;version=1.0.0;q=0.1", Format.TEXT_100),
        ("application/openmetrics-text;version=1.0.0;q=-1, text/plain;version=1.0.0;q=0.1", Format.TEXT_100),
        (";;;,,,=;q", Format.TEXT_004),
        (",".join(["a/b"] * 1000), Format.TEXT_004),
    ],
)
def test_the_format_with_the_highest_quality_wins(accept: str, expected: Format) -> None:
    assert choose_format(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *;q=1", False),
        ("x-gzip-like", False),
    ],
)
def test_gzip_is_used_only_where_it_is_welcome(accept_encoding: str, expected: bool) -> None:
    assert accepts_gzip(accept_encoding) is expected


def test_content_types_are_what_prometheus_3_reads() -> None:
    assert [f.content_type for f in Format] == [
        "text/plain; version=0.0.4; charset=utf-8",
        "text/plain; version=1.0.0; charset=utf-8; escaping=underscores",
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
    ]
