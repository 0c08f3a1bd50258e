"""Trunks of real PBXs: registering, refused, dead, known by address; found and listed; named as FreePBX names them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import console
from tests.support.exporter_process import ExporterProcess, Scrape
from tests.support.pbx_pair import RichPbx
from tests.support.watching import agree, watching

LISTED = """
    trunks:
      - {name: good, match: "PJSIP/telco-good", registration: telco-good, channel_limit: 30}
      - {name: rejected, match: "PJSIP/telco-rejected", registration: telco-rejected}
      - {name: by address, match: "PJSIP/telco-i*"}
      - {name: neighbour, match: "IAX2/iax-good"}
      - {name: dead neighbour, match: "IAX2/iax-dead"}
      - {name: not there, match: "PJSIP/nobody", registration: nobody}
"""


def up(scrape: Scrape) -> dict[str, float]:
    return {
        dict(labels)["trunk"]: value for (name, labels), value in scrape.series().items() if name == "asterisk_trunk_up"
    }


def channels(pbx: RichPbx) -> console.Counts:
    """(endpoint, direction) of each PJSIP channel of the console; what Dial made goes out, what answers came in."""
    rows = [fields for fields in console.channels(pbx.server) if fields[0].startswith(("PJSIP/", "IAX2/"))]
    return console.counts(
        [
            (fields[0].partition("/")[2].rpartition("-")[0], "outbound" if fields[5] == "AppDial" else "inbound")
            for fields in rows
        ]
    )


@pytest.fixture(scope="module")
def found(rich: RichPbx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExporterProcess]:
    """An exporter that finds the trunks by itself."""
    with watching(rich.server, tmp_path_factory.mktemp("found"), "system") as running:
        yield running


@pytest.fixture(scope="module")
def listed(rich: RichPbx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExporterProcess]:
    """An exporter that is told the trunks."""
    with watching(rich.server, tmp_path_factory.mktemp("listed"), "system", LISTED) as running:
        yield running


def test_trunks_are_found_by_registration_and_by_address(found: ExporterProcess) -> None:
    agree(
        lambda: up(found.get()),
        lambda: {"telco-good": 1.0, "telco-rejected": 0.0, "telco-dead": 0.0, "telco-ip": 1.0},
    )
    assert found.get().by("asterisk_trunk_info", "trunk", "technology", "endpoint", "registration") == {
        ("telco-good", "PJSIP", "telco-good", "telco-good"): 1,
        ("telco-rejected", "PJSIP", "telco-rejected", "telco-rejected"): 1,
        ("telco-dead", "PJSIP", "telco-dead", "telco-dead"): 1,
        ("telco-ip", "PJSIP", "telco-ip", ""): 1,
    }


def test_channels_of_found_trunks_by_direction(rich: RichPbx, found: ExporterProcess) -> None:
    truth = {key: number for key, number in channels(rich).items() if key[0].startswith("telco-")}
    assert sum(truth.values()) == 6
    assert found.get().by("asterisk_trunk_channels", "trunk", "direction") == truth


def test_listed_trunks_have_their_names_limits_and_states(rich: RichPbx, listed: ExporterProcess) -> None:
    agree(
        lambda: up(listed.get()),
        lambda: {
            "good": 1.0,
            "rejected": 0.0,
            "by address": 1.0,
            "neighbour": 1.0,
            "dead neighbour": 0.0,
            "not there": 0.0,
        },
    )
    scrape = listed.get()
    assert scrape.by("asterisk_trunk_channels_limit", "trunk") == {("good",): 30}
    truth = channels(rich)
    assert scrape.by("asterisk_trunk_channels", "trunk", "direction") == {
        ("good", "inbound"): truth["telco-good", "inbound"],
        ("good", "outbound"): truth["telco-good", "outbound"],
        ("by address", "inbound"): truth["telco-ip", "inbound"],
        ("by address", "outbound"): truth["telco-ip", "outbound"],
        # Made by Originate alone: once answered, nothing in Asterisk's list tells it from a call that came in.
        ("neighbour", "inbound"): truth["iax-good", "inbound"],
    }


def test_without_write_system_registering_trunks_are_still_found(rich: RichPbx, tmp_path: Path) -> None:
    with watching(rich.server, tmp_path, "reporting") as running:
        agree(
            lambda: up(running.get()),
            lambda: {"telco-good": 1.0, "telco-rejected": 0.0, "telco-dead": 0.0},
        )


@pytest.fixture(scope="module")
def freepbx_watched(
    freepbx_server: RichPbx, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RichPbx, ExporterProcess]]:
    """An exporter of a server that FreePBX configured, with the names of its queues."""
    names = '    names: {queue: {"600": Support Desk, "601": Sales}}'
    with watching(freepbx_server.server, tmp_path_factory.mktemp("freepbx"), "system", names) as running:
        yield freepbx_server, running


def test_freepbx_trunks_with_spaces_and_dots(freepbx_watched: tuple[RichPbx, ExporterProcess]) -> None:
    pbx, running = freepbx_watched
    agree(
        lambda: up(running.get()),
        lambda: {"Sip Trunk.Berlin": 1.0, "Backup.Trunk 2": 0.0, "carrier-ip": 1.0},
    )
    truth = {key: n for key, n in channels(pbx).items() if key[0] in ("Sip Trunk.Berlin", "carrier-ip")}
    assert sum(truth.values()) == 3
    assert running.get().by("asterisk_trunk_channels", "trunk", "direction") == truth


def test_freepbx_three_hundred_extensions(freepbx_watched: tuple[RichPbx, ExporterProcess]) -> None:
    pbx, running = freepbx_watched

    def truth() -> console.Counts:
        rows = console.pjsip_endpoints(pbx.server)
        return console.counts([("PJSIP", reach) for _, _, reach in rows.values()])

    agree(
        lambda: {
            key: number
            for key, number in running.get().by("asterisk_endpoints", "technology", "state").items()
            if key[0] == "PJSIP"
        },
        truth,
    )
    scrape = running.get()
    one_by_one = [labels for (name, labels) in scrape.series() if name == "asterisk_endpoint_up"]
    assert len([labels for labels in one_by_one if ("technology", "PJSIP") in labels]) == 305


def test_freepbx_queues_have_human_names_and_members_behind_hints(
    freepbx_watched: tuple[RichPbx, ExporterProcess],
) -> None:
    pbx, running = freepbx_watched
    scrape = running.get()
    blocks = console.queues(pbx.server)
    assert scrape.by("asterisk_queue_info", "queue", "name") == {
        ("600", "Support Desk"): 1,
        ("601", "Sales"): 1,
        ("602", "602"): 1,
        ("default", "default"): 1,
    }
    assert scrape.value("asterisk_queue_callers", queue="601") == 2
    assert scrape.by("asterisk_queue_members", "queue", "state") == console.counts(
        [(queue, state) for queue, block in blocks.items() for state, _ in console.members(block)]
    )
