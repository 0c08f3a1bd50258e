"""Every figure of a PBX full of life agrees with what its console says at that moment, on Asterisk 22 and 16."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from ami_exporter.collectors.channels import LASTING
from tests.support import console
from tests.support.exporter_process import ExporterProcess
from tests.support.pbx_pair import RichPbx
from tests.support.rich_config import VOICEMAIL
from tests.support.watching import OPT_IN, agree, enabled, watching


@pytest.fixture(scope="module")
def watched(rich: RichPbx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExporterProcess]:
    """An exporter of all rights with every collector on."""
    with watching(rich.server, tmp_path_factory.mktemp("watched"), "all", enabled(*OPT_IN)) as running:
        yield running


def test_every_collector_but_dahdi_has_all_its_lists(rich: RichPbx, watched: ExporterProcess) -> None:
    scrape = watched.get()
    assert set(scrape.by("asterisk_scrape_collector_success", "collector").values()) == {1.0}
    missing = {collector for collector, _ in scrape.by("asterisk_scrape_collector_unavailable", "collector", "action")}
    # No cards and no sticks; 22 has no chan_sip, 16 no maintenance mode.
    other_versions = {"endpoints", "trunks"} | ({"registrations"} if rich.server.major > 16 else set())
    assert missing == {"dahdi", "mobile"} | other_versions


def test_channels_by_technology_state_and_application(rich: RichPbx, watched: ExporterProcess) -> None:
    rows = console.channels(rich.server)
    assert len(rows) == 44
    scrape = watched.get()
    assert scrape.by("asterisk_active_channels", "technology", "state") == console.counts(
        [(fields[0].partition("/")[0], fields[4].lower()) for fields in rows]
    )
    assert scrape.by("asterisk_application_channels", "application") == console.counts([(f[5],) for f in rows])


def test_the_oldest_channel_of_each_technology_but_for_lasting_ones(rich: RichPbx, watched: ExporterProcess) -> None:
    ages: dict[tuple[str, ...], float] = {}
    for fields in console.channels(rich.server):
        if fields[5] in LASTING:
            continue
        key = (fields[0].partition("/")[0],)
        ages[key] = max(ages.get(key, 0.0), float(fields[11]))
    assert watched.get().by("asterisk_oldest_channel_age_seconds", "technology") == pytest.approx(ages, abs=2.0)


def test_bridges_and_their_channels(rich: RichPbx, watched: ExporterProcess) -> None:
    rows = console.bridges(rich.server)
    assert len(rows) == 9
    inside: Counter[tuple[str, ...]] = Counter()
    for technology, kind, number in rows:
        inside[technology, kind] += number
    scrape = watched.get()
    labels = ("bridge_technology", "type")
    assert scrape.by("asterisk_bridges", *labels) == console.counts([(tech, kind) for tech, kind, _ in rows])
    assert scrape.by("asterisk_bridge_channels", *labels) == dict(inside)


def test_start_time_limits_and_calls_processed(rich: RichPbx, watched: ExporterProcess) -> None:
    scrape = watched.get()
    uptime = re.search(r"System uptime: (\d+)", rich.server.cli("core show uptime seconds"))
    assert uptime is not None
    assert scrape.value("asterisk_start_time_seconds") == pytest.approx(time.time() - int(uptime[1]), abs=2.0)
    settings = rich.server.cli("core show settings")
    limit = re.search(r"Maximum calls: +(\d+)", settings)
    load = re.search(r"Maximum load average: +([\d.]+)", settings)
    assert limit is not None
    assert load is not None
    assert scrape.value("asterisk_calls_limit") == float(limit[1])
    assert scrape.value("asterisk_load_average_limit") == float(load[1])
    processed = re.search(r"(\d+) calls processed", rich.server.cli("core show calls"))
    assert processed is not None
    known = float(processed[1]) if rich.server.major > 16 else None
    assert scrape.value("asterisk_calls_processed_total") == known


def test_pjsip_endpoints_by_reachability_and_one_by_one(rich: RichPbx, watched: ExporterProcess) -> None:
    def truth() -> tuple[object, ...]:
        rows = console.pjsip_endpoints(rich.server)
        up = {(name,): 1.0 for name, (state, _, _) in rows.items() if state not in ("unavailable", "invalid")}
        busy = {(name,): float(number) for name, (_, number, _) in rows.items() if number}
        return console.counts([(reach,) for _, _, reach in rows.values()]), up, busy

    def figures() -> tuple[object, ...]:
        scrape = watched.get()
        return (
            of(scrape.by("asterisk_endpoints", "technology", "state"), "PJSIP"),
            of(scrape.by("asterisk_endpoint_up", "technology", "endpoint"), "PJSIP"),
            of(scrape.by("asterisk_endpoint_active_channels", "technology", "endpoint"), "PJSIP"),
        )

    assert len(console.pjsip_endpoints(rich.server)) == 15
    agree(figures, truth)


@pytest.mark.parametrize(("technology", "command"), [("SIP", "sip show peers"), ("IAX2", "iax2 show peers")])
def test_chan_sip_and_iax2_peers(rich: RichPbx, watched: ExporterProcess, technology: str, command: str) -> None:
    if technology == "SIP" and rich.server.major > 16:
        assert of(watched.get().by("asterisk_endpoints", "technology", "state"), "SIP") == {}
        return

    def truth() -> tuple[object, ...]:
        rows = console.peers(rich.server, command)
        up = {(name,): 1.0 for name, state in rows.items() if state in ("reachable", "lagged")}
        return console.counts([(state,) for state in rows.values()]), up

    def figures() -> tuple[object, ...]:
        scrape = watched.get()
        return (
            of(scrape.by("asterisk_endpoints", "technology", "state"), technology),
            of(scrape.by("asterisk_endpoint_up", "technology", "endpoint"), technology),
        )

    agree(figures, truth)


def test_registered_contacts_by_status(rich: RichPbx, watched: ExporterProcess) -> None:
    """AMI's list has what registered; contacts of the configuration are in the console's list only."""
    words = {"Avail": "reachable", "Unavail": "unreachable", "NonQual": "non_qualified", "Unknown": "unknown"}

    def truth() -> console.Counts:
        rows = console.pjsip_contacts(rich.server)
        return console.counts([(words[status],) for aor, status in rows if not aor.startswith("telco")])

    agree(lambda: watched.get().by("asterisk_contacts", "status"), truth)


def test_contacts_of_each_address_of_record(rich: RichPbx, watched: ExporterProcess) -> None:
    agree(
        lambda: watched.get().by("asterisk_aor_contacts", "aor"),
        lambda: console.counts([(aor,) for aor, _ in console.pjsip_contacts(rich.server)]),
    )


def test_pjsip_registrations_registered_rejected_and_dead(rich: RichPbx, watched: ExporterProcess) -> None:
    def figures() -> dict[str, str]:
        found = watched.get().by("asterisk_registration_state", "technology", "registration", "state")
        return {name: state for technology, name, state in found if technology == "PJSIP"}

    agree(figures, lambda: console.pjsip_registrations(rich.server))
    assert figures()["telco-good"] == "registered"
    assert figures()["telco-rejected"] == "rejected"
    up = watched.get().by("asterisk_registration_up", "technology", "registration")
    assert [name for technology, name in up if technology == "PJSIP"] == ["telco-good"]


@pytest.mark.parametrize(("technology", "command"), [("SIP", "sip show registry"), ("IAX2", "iax2 show registry")])
def test_chan_sip_and_iax2_registrations(
    rich: RichPbx, watched: ExporterProcess, technology: str, command: str
) -> None:
    def truth() -> console.Counts:
        there = technology == "IAX2" or rich.server.major == 16
        return console.registry(rich.server, command) if there else {}

    agree(
        lambda: of(watched.get().by("asterisk_registration_state", "technology", "state"), technology),
        truth,
    )


def test_device_states_of_pjsip_phones(rich: RichPbx, watched: ExporterProcess) -> None:
    agree(
        lambda: of(watched.get().by("asterisk_device_states", "technology", "state"), "PJSIP"),
        lambda: console.counts([(state,) for state, _, _ in console.pjsip_endpoints(rich.server).values()]),
    )


def test_hints_by_state(rich: RichPbx, watched: ExporterProcess) -> None:
    assert sum(console.hints(rich.server).values()) == 8
    agree(lambda: watched.get().by("asterisk_hints", "state"), lambda: console.hints(rich.server))


def test_queues_callers_members_and_pauses_with_their_reasons(rich: RichPbx, watched: ExporterProcess) -> None:
    scrape = watched.get()
    states: list[tuple[str, ...]] = []
    reasons: list[tuple[str, ...]] = []
    callers: dict[tuple[str, ...], float] = {}
    info: dict[tuple[str, ...], float] = {}
    for name, block in console.queues(rich.server).items():
        head = re.match(r".* has (\d+) calls \(max (\w+)\) in '(\w+)' strategy", block)
        assert head is not None
        info[name, head[3]] = 1.0
        callers |= {(name,): float(head[1])} if head[1] != "0" else {}
        states += [(name, state) for state, _ in console.members(block)]
        reasons += [(name, reason) for _, reason in console.members(block) if reason is not None]
    assert len(reasons) == 5
    assert scrape.by("asterisk_queue_info", "queue", "strategy") == info
    assert scrape.by("asterisk_queue_callers", "queue") == callers
    assert scrape.by("asterisk_queue_members", "queue", "state") == console.counts(states)
    assert scrape.by("asterisk_queue_pause_reason_members", "queue", "reason") == console.counts(reasons)
    assert scrape.by("asterisk_queue_members_paused", "queue") == console.counts([(queue,) for queue, _ in reasons])
    assert scrape.value("asterisk_queue_callers_limit", queue="support") == 50


def test_queues_with_callers_and_nobody_ready_can_be_seen(watched: ExporterProcess) -> None:
    scrape = watched.get()
    for queue in ("support", "Sales Desk.2"):
        assert scrape.total("asterisk_queue_callers", queue=queue) > 0
        assert scrape.value("asterisk_queue_members_ready", queue=queue) == 0
    assert scrape.value("asterisk_queue_callers", queue="deserted") == 0


def test_the_longest_wait_of_each_queue(rich: RichPbx, watched: ExporterProcess) -> None:
    waits = {}
    for name, block in console.queues(rich.server).items():
        times = [int(m) * 60 + int(s) for m, s in re.findall(r"\(wait: (\d+):(\d+),", block)]
        if times:
            waits[name,] = float(max(times))
    assert set(waits) == {("support",), ("Sales Desk.2",)}
    assert watched.get().by("asterisk_queue_longest_wait_seconds", "queue") == pytest.approx(waits, abs=2.0)


def test_conferences_their_participants_and_locks(rich: RichPbx, watched: ExporterProcess) -> None:
    rooms = console.conferences(rich.server)
    assert len(rooms) == 2
    scrape = watched.get()
    assert scrape.value("asterisk_conferences") == 2
    assert scrape.value("asterisk_conference_participants") == sum(number for number, _ in rooms.values())
    assert scrape.by("asterisk_conference_room_participants", "conference") == {
        (name,): number for name, (number, _) in rooms.items()
    }
    assert scrape.by("asterisk_conference_room_locked", "conference") == {
        (name,): 1.0 for name, (_, locked) in rooms.items() if locked
    }


def test_parking_lots_and_parked_calls(rich: RichPbx, watched: ExporterProcess) -> None:
    lots = console.parking(rich.server)
    scrape = watched.get()
    assert scrape.by("asterisk_parking_spaces", "lot") == {(name,): spaces for name, (spaces, _) in lots.items()}
    assert scrape.by("asterisk_parked_calls", "lot") == {(name,): n for name, (_, n) in lots.items() if n}
    assert scrape.value("asterisk_parked_calls", lot="vip") == 0


def test_voicemail_by_context_and_by_mailbox(rich: RichPbx, watched: ExporterProcess) -> None:
    boxes = console.new_messages(rich.server)
    scrape = watched.get()
    found = scrape.by("asterisk_voicemail_mailbox_messages", "context", "mailbox", "folder")
    assert {(context, box): number for (context, box, folder), number in found.items() if folder == "new"} == {
        key: number for key, number in boxes.items() if number
    }
    # The console does not show old messages: those the fixture put there.
    for folder, place in (("new", 0), ("old", 1)):
        assert scrape.total("asterisk_voicemail_messages", folder=folder) == sum(n[place] for n in VOICEMAIL.values())


def test_agents_by_state(rich: RichPbx, watched: ExporterProcess) -> None:
    agree(lambda: watched.get().by("asterisk_agents", "state"), lambda: console.agents(rich.server))


def test_fax_figures(rich: RichPbx, watched: ExporterProcess) -> None:
    text = rich.server.cli("fax show stats")
    figures = {name: float(number) for name, number in re.findall(r"^(\w[\w ]+?) +: (\d+)", text, re.MULTILINE)}
    scrape = watched.get()
    assert scrape.value("asterisk_fax_sessions") == figures["Current Sessions"]
    assert scrape.value("asterisk_fax_completed_total") == figures["Completed FAXes"]
    assert scrape.value("asterisk_fax_failed_total") == figures["Failed FAXes"]


def test_task_processors(rich: RichPbx, watched: ExporterProcess) -> None:
    text = rich.server.cli("core show taskprocessors")
    listed = re.search(r"^(\d+) taskprocessors$", text, re.MULTILINE)
    assert listed is not None
    names = {name for (name,) in watched.get().by("asterisk_taskprocessor_processed_total", "name")}
    assert 3 < len(names) <= int(listed[1])
    assert any(name in text for name in names)


def of(found: console.Counts, technology: str) -> console.Counts:
    """What belongs to a technology, without that label."""
    return {key[1:]: value for key, value in found.items() if key[0] == technology}
