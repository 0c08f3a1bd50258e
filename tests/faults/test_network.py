"""What networks do between the exporter and its PBX, by a proxy. Whole numbers or none, and all back afterwards."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from ami_exporter.config.target_settings import AmiTlsSettings
from ami_exporter.pbx.target import Target
from tests.support.certificates import Authority
from tests.support.exporter_process import Series
from tests.support.faulty_proxy import Faults, FaultyProxy
from tests.support.scripted_pbx import CALL, Item, ScriptedPbx
from tests.support.targets import SOON, scrape, target, value

pytestmark = pytest.mark.slow

LISTS: dict[str, Sequence[Item]] = {
    "Status": [CALL] * 20,
    "QueueStatus": [(("Event", "QueueParams"), ("Queue", "sales"), ("Calls", "3"))],
}
#: collector → a metric of its own and what it is when all is well.
TRUTH: dict[str, tuple[str, dict[str, str], float]] = {
    "channels": ("asterisk_active_calls", {}, 1.0),
    "queues": ("asterisk_queue_callers", {"queue": "sales"}, 3.0),
}


@pytest.fixture(scope="module")
def pbx() -> Iterator[ScriptedPbx]:
    with ScriptedPbx(LISTS) as pbx:
        yield pbx


def whole(found: Series) -> bool:
    return value(found, "asterisk_up") == 1 and all(
        value(found, metric, **labels) == number for metric, labels, number in TRUTH.values()
    )


def honest(found: Series) -> None:
    """Each collector says everything and success, or nothing and no success."""
    assert value(found, "asterisk_up") in {0, 1}
    for collector, (metric, labels, number) in TRUTH.items():
        success = value(found, "asterisk_scrape_collector_success", collector=collector)
        assert value(found, metric, **labels) == (number if success else None)


def failures(found: Series, reason: str) -> float | None:
    return value(found, "ami_exporter_login_failures_total", reason=reason)


def cut_places(pbx: ScriptedPbx) -> list[int]:
    """Lengths of what a PBX sends in a first scrape at which a packet ends, and in the middle of each."""
    with FaultyProxy(pbx.port) as proxy, target(proxy.port) as one:
        assert whole(scrape(one))
        sent = bytes(proxy.passed[0])
    ends = [match.end() for match in re.finditer(rb"\r\n\r\n", sent)]
    starts = [sent.index(b"\r\n") + 2, *ends]
    return sorted({*starts[:-1], *((a + b) // 2 for a, b in zip(starts, ends, strict=False))})


def test_a_cut_at_every_packets_end_and_in_every_packet(pbx: ScriptedPbx) -> None:
    places = cut_places(pbx)
    assert len(places) > 40
    seen = set()
    with FaultyProxy(pbx.port) as proxy:
        for place in places:
            with target(proxy.port) as one:
                proxy.faults = Faults(cut_at=place)
                found = scrape(one)
                honest(found)
                assert not whole(found)
                seen.add(value(found, "asterisk_up"))
                proxy.faults = Faults()
                assert whole(scrape(one)), f"after a cut at byte {place}"
    assert seen == {0, 1}


@pytest.mark.parametrize(
    "faults",
    [Faults(piece=1), Faults(piece=7, delay=0.0005), Faults(delay=0.15), Faults(rate=200_000, piece=512)],
    ids=["1 byte", "7 bytes", "150 ms", "200 kB/s"],
)
def test_a_slow_or_crumbling_line_changes_no_figure(pbx: ScriptedPbx, faults: Faults) -> None:
    with FaultyProxy(pbx.port, faults) as proxy, target(proxy.port) as one:
        assert whole(scrape(one))
        assert whole(scrape(one))
        assert len(proxy.passed) == 1


def test_a_kilobyte_a_second_ends_at_the_deadline_with_what_is_done_by_then(pbx: ScriptedPbx) -> None:
    with FaultyProxy(pbx.port) as proxy, target(proxy.port) as one:
        proxy.faults = Faults(rate=1000, piece=50)
        begun = time.monotonic()
        found = scrape(one, 1.0)
        assert time.monotonic() - begun < 3.0
        honest(found)
        assert not whole(found)
        proxy.faults = Faults()
        assert whole(scrape(one))


def test_a_black_hole_is_a_timeout_and_over_with_it(pbx: ScriptedPbx) -> None:
    with FaultyProxy(pbx.port, Faults(hole_at=0)) as proxy, target(proxy.port) as one:
        begun = time.monotonic()
        found = scrape(one, 0.5)
        assert time.monotonic() - begun < 2.5
        assert (value(found, "asterisk_up"), failures(found, "timeout")) == (0, 1)
        assert "sent nothing before the deadline" in one.connector.detail("poll")
        proxy.faults = Faults()
        assert whole(scrape(one))


def test_a_link_that_goes_half_open_at_any_packet_is_over_at_the_deadline(pbx: ScriptedPbx) -> None:
    places = cut_places(pbx)
    with FaultyProxy(pbx.port) as proxy:
        for place in places[:: len(places) // 5]:
            with target(proxy.port) as one:
                proxy.faults = Faults(hole_at=place)
                begun = time.monotonic()
                found = scrape(one, 0.4)
                assert time.monotonic() - begun < 2.4
                honest(found)
                assert not whole(found)
                proxy.faults = Faults()
                assert whole(scrape(one))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem with what it signed: good, expired; and stranger.pem, an authority of nobody here."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority()
    (folder / "ca.pem").write_text(authority.pem)
    (folder / "stranger.pem").write_text(Authority("a stranger").pem)
    authority.issue("localhost").write(folder, "good")
    authority.issue("localhost", ends_in=timedelta(minutes=-1)).write(folder, "expired")
    return folder


def over_tls(folder: Path, certificate: str) -> ScriptedPbx:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{certificate}.crt", folder / f"{certificate}.key")
    return ScriptedPbx(LISTS, tls=context)


@pytest.mark.parametrize(
    ("certificate", "ca", "name", "found"),
    [
        ("expired", "ca.pem", "localhost", "certificate has expired"),
        ("good", "ca.pem", "pbx.example.net", "Hostname mismatch"),
        ("good", "stranger.pem", "localhost", "unable to get local issuer certificate"),
        ("good", None, "localhost", "unable to get local issuer certificate"),
    ],
    ids=["expired", "wrong name", "unknown CA", "the system's CAs"],
)
def test_a_certificate_that_proves_nothing_gets_no_login(
    folder: Path, certificate: str, ca: str | None, name: str, found: str
) -> None:
    tls = AmiTlsSettings(str(folder / ca) if ca else None, name)
    with over_tls(folder, certificate) as pbx, target(pbx.port, tls=tls) as one:
        series = scrape(one)
        assert (value(series, "asterisk_up"), failures(series, "tls")) == (0, 1)
        detail = one.connector.detail("poll")
        assert found in detail
        assert "set ca_file to the CA that signed it and server_name to the name in it" in detail
        assert pbx.names() == []


def test_a_reset_during_the_handshake_is_counted_and_the_next_scrape_has_all(folder: Path) -> None:
    tls = AmiTlsSettings(str(folder / "ca.pem"), "localhost")
    with (
        over_tls(folder, "good") as pbx,
        FaultyProxy(pbx.port, Faults(reset_hello=True)) as proxy,
        target(proxy.port, tls=tls) as one,
    ):
        series = scrape(one)
        assert (value(series, "asterisk_up"), failures(series, "tls")) == (0, 1)
        proxy.faults = Faults()
        assert whole(scrape(one))


def test_tls_in_single_bytes_and_cut_anywhere(folder: Path) -> None:
    tls = AmiTlsSettings(str(folder / "ca.pem"), "localhost")
    with over_tls(folder, "good") as pbx, FaultyProxy(pbx.port) as proxy:
        with target(proxy.port, tls=tls) as one:
            assert whole(scrape(one))
        size = len(proxy.passed[0])
        proxy.faults = Faults(piece=1)
        with target(proxy.port, tls=tls) as one:
            assert whole(scrape(one))
        for place in range(100, size - 100, size // 10):
            with target(proxy.port, tls=tls) as one:
                proxy.faults = Faults(cut_at=place)
                honest(scrape(one))
                proxy.faults = Faults()
                assert whole(scrape(one))


def test_an_event_link_that_is_cut_comes_back_and_its_gap_is_counted() -> None:
    with ScriptedPbx(LISTS) as pbx, target(pbx.port, events=True) as one:
        connected(one, 1)
        pbx.kick()
        connected(one, 2)
        gap = value(scrape(one), "ami_exporter_events_gap_seconds_total")
        assert gap is not None
        assert 0 < gap < SOON


def connected(one: Target, times: int) -> None:
    deadline = time.monotonic() + SOON
    while value(scrape(one), "ami_exporter_link_connects_total", link="events") != times:
        assert time.monotonic() < deadline
