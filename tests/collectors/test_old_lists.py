"""What Asterisk 1.8, 11 and 13 answered to lists, folded: what its console said, or nothing where AMI does not tell."""

from __future__ import annotations

from collections import Counter

import pytest

from ami_exporter.ami.answer import Outcome
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.sent import version_by_banner
from ami_exporter.collectors.vocabulary import CHANNEL_STATE_WORD, INTERNAL
from tests.support import old_servers as old
from tests.support.collecting import Samples

OLDEST = ("1.8", "11")
FOLDERS = ("lists", "lists/quiet")


def console(version: str, command: str) -> list[str]:
    """Lines that the console printed for a command, at the moment of the lists."""
    text = old.archive(version)["lists/cli.txt"].decode(errors="replace")
    return text.split(f"*CLI> {command}\n", 1)[1].split("\n*CLI> ", 1)[0].splitlines()


def channels(version: str) -> list[tuple[str, str, str]]:
    """Technology, state and application of the console's channels; 1006 was called anew between list and console."""
    rows = [line.split("!") for line in console(version, "core show channels concise") if "!" in line]
    return [
        (row[0].partition("/")[0], CHANNEL_STATE_WORD[row[4].lower()], row[5])
        for row in rows
        if row[0].partition("/")[0] not in INTERNAL and "/1006-" not in row[0]
    ]


def having(samples: Samples, name: str) -> dict[tuple[str, ...], float]:
    """What is not 0 of a metric, by its labels."""
    return {
        labels: value
        for (metric, *rest), value in samples.items()
        if metric == name and value
        for labels in [tuple(rest)]
    }


def there(samples: Samples, name: str) -> bool:
    return any(key[0] == name for key in samples)


@pytest.mark.parametrize("version", old.VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_list_of_an_old_server_ends_and_none_of_its_items_is_taken_for_torn(version: str, folder: str) -> None:
    for name in old.lists(version, folder):
        found = old.answered(version, name, folder)
        assert found.answer.outcome in (Outcome.COMPLETE, Outcome.EMPTY), name
        assert found.errors == {}, name


@pytest.mark.parametrize("without", [(), ("Status",), ("CoreShowChannels",)], ids=["both", "brief", "status"])
@pytest.mark.parametrize("version", old.VERSIONS)
def test_channels_are_those_of_the_console_whichever_list_tells(version: str, without: tuple[str, ...]) -> None:
    counted = having(old.folded(version, without=without), "asterisk_active_channels")
    assert counted == Counter((technology, state) for technology, state, _ in channels(version))


@pytest.mark.parametrize("version", old.VERSIONS)
def test_applications_are_those_of_the_console(version: str) -> None:
    counted = having(old.folded(version), "asterisk_application_channels")
    assert counted == Counter((application,) for _, _, application in channels(version) if application != "(None)")


@pytest.mark.parametrize("version", OLDEST)
def test_status_of_old_servers_tells_nothing_of_applications_codecs_calls_and_ages(version: str) -> None:
    samples = old.folded(version, without=["CoreShowChannels"])
    for name in (
        *("asterisk_application_channels", "asterisk_codec_channels", "asterisk_transcoding_channels"),
        *("asterisk_active_calls", "asterisk_oldest_channel_age_seconds"),
    ):
        assert not there(samples, name), name


@pytest.mark.parametrize("version", OLDEST)
def test_an_idle_old_server_does_not_claim_to_translate_nothing(version: str) -> None:
    samples = old.folded(version, "lists/quiet", without=["CoreShowChannels"])
    assert not there(samples, "asterisk_transcoding_channels")
    assert there(samples, "asterisk_active_channels")


@pytest.mark.parametrize("version", OLDEST)
def test_old_servers_are_asked_for_the_list_that_tells_more(version: str) -> None:
    assert there(old.folded(version), "asterisk_application_channels")


@pytest.mark.parametrize("without", [(), ("CoreShowChannels",)], ids=["brief", "status"])
@pytest.mark.parametrize("version", OLDEST)
def test_a_parked_call_whose_beginning_was_not_seen_leaves_its_trunks_directions_open(
    version: str, without: tuple[str, ...]
) -> None:
    assert having(old.folded(version, without=without), "asterisk_trunk_channels") == {("branch-b", "outbound"): 1.0}


@pytest.mark.parametrize("without", [(), ("CoreShowChannels",)], ids=["brief", "status"])
@pytest.mark.parametrize("version", OLDEST)
def test_directions_are_right_where_events_saw_the_parked_call_begin(version: str, without: tuple[str, ...]) -> None:
    (parked,) = [
        item["uniqueid"]
        for item in old.answered(version, "CoreShowChannels").items
        if item["application"] == "Parked Call"
    ]
    known = old.context(version, seen_direction=lambda uniqueid: "inbound" if uniqueid == parked else None)
    assert having(old.folded(version, without=without, known=known), "asterisk_trunk_channels") == {
        ("branch-b", "outbound"): 1.0,
        ("telco-a", "inbound"): 7.0,
        ("telco-a", "outbound"): 1.0,
    }


def test_directions_of_13_are_told_by_the_list_alone() -> None:
    assert having(old.folded("13"), "asterisk_trunk_channels") == {
        ("branch-b", "outbound"): 1.0,
        ("telco-a", "inbound"): 7.0,
        ("telco-a", "outbound"): 1.0,
    }


@pytest.mark.parametrize("version", old.VERSIONS)
def test_a_trunks_oldest_channel_is_told_where_the_list_tells_all_ages(version: str) -> None:
    assert having(old.folded(version), "asterisk_trunk_oldest_channel_age_seconds").keys() == {
        ("branch-b",),
        ("telco-a",),
    }


@pytest.mark.parametrize("version", OLDEST)
def test_a_trunks_oldest_channel_is_absent_where_a_channel_has_no_age(version: str) -> None:
    samples = old.folded(version, without=["CoreShowChannels"])
    assert not there(samples, "asterisk_trunk_oldest_channel_age_seconds")


@pytest.mark.parametrize("version", old.VERSIONS)
def test_queues_are_as_the_console_shows_them(version: str) -> None:
    samples = old.folded(version)
    assert having(samples, "asterisk_queue_callers") == {("sales",): 2.0, ("support",): 1.0}
    assert having(samples, "asterisk_queue_members") == {
        ("sales", "in_use"): 1.0,
        ("sales", "not_in_use"): 1.0,
        ("support", "not_in_use"): 1.0,
        ("support", "ringing"): 1.0,
    }
    assert having(samples, "asterisk_queue_members_paused") == {("sales",): 1.0}
    assert having(samples, "asterisk_queue_members_available") == {("support",): 1.0}
    assert having(samples, "asterisk_queue_pbx_completed_total") == {("sales",): 4.0, ("support",): 5.0}
    assert having(samples, "asterisk_queue_pbx_abandoned_total") == {("sales",): 2.0, ("support",): 2.0}


def test_members_in_a_call_are_told_from_11_on_and_pause_reasons_from_13_on() -> None:
    in_call, reason = "asterisk_queue_members_in_call", "asterisk_queue_pause_reason_members"
    assert [there(old.folded(version), in_call) for version in old.VERSIONS] == [False, True, True]
    assert [there(old.folded(version), reason) for version in old.VERSIONS] == [False, False, True]


@pytest.mark.parametrize("version", ["11", "13"])
def test_parking_lots_have_their_spaces_and_how_long_the_longest_call_waits(version: str) -> None:
    samples = old.folded(version)
    long = "parkinglot_long" if version == "11" else "long"
    assert having(samples, "asterisk_parking_spaces") == {("default",): 20.0, (long,): 10.0}
    assert having(samples, "asterisk_parked_calls") == {(long,): 1.0}
    assert having(samples, "asterisk_parked_longest_seconds") == {(long,): 12.0}


def test_1_8_tells_parked_calls_and_neither_lots_nor_waits() -> None:
    samples = old.folded("1.8")
    assert having(samples, "asterisk_parked_calls") == {("parkinglot_long",): 1.0}
    assert not there(samples, "asterisk_parking_spaces")
    assert not there(samples, "asterisk_parked_longest_seconds")


@pytest.mark.parametrize("version", OLDEST)
def test_read_voicemail_is_absent_where_it_is_not_counted(version: str) -> None:
    samples = old.folded(version)
    assert samples["asterisk_voicemail_messages", "default", "new"] == 4.0
    assert ("asterisk_voicemail_messages", "default", "old") not in samples
    assert samples["asterisk_voicemail_mailbox_messages", "default", "1002", "new"] == 0.0


@pytest.mark.parametrize("version", OLDEST)
def test_registrations_and_peers_are_as_the_console_shows_them(version: str) -> None:
    samples = old.folded(version)
    assert having(samples, "asterisk_registration_state").keys() == {
        ("SIP", "pbx1@127.0.0.3", "registered"),
        ("SIP", "pbx7@127.0.0.9", "pending"),
        ("SIP", "pbx9@127.0.0.3", "rejected"),
        ("IAX2", "iaxpbx@127.0.0.5:4569", "registered"),
        ("IAX2", "iaxbad@127.0.0.5:4569", "rejected"),
    }
    assert having(samples, "asterisk_endpoints") == {
        ("SIP", "reachable"): 11.0,
        ("SIP", "unreachable"): 1.0,
        ("SIP", "unmonitored"): 1.0,
        ("IAX2", "reachable"): 1.0,
        ("IAX2", "unreachable"): 1.0,
        ("IAX2", "unmonitored"): 1.0,
    }
    assert having(samples, "asterisk_trunk_up") == {("telco-a",): 1.0, ("branch-b",): 1.0}


@pytest.mark.parametrize("version", old.VERSIONS)
def test_agents_are_as_the_console_shows_them(version: str) -> None:
    assert having(old.folded(version), "asterisk_agents") == {("idle",): 1.0, ("logged_off",): 1.0}


def test_conferences_are_told_from_11_on() -> None:
    name = "asterisk_conference_participants"
    assert [old.folded(version).get((name,)) for version in old.VERSIONS] == [None, 3.0, 3.0]


def test_a_conferences_announcer_counts_nowhere_on_13() -> None:
    items = old.answered("13", "Status").items
    assert sum(item["channel"].startswith("CBAnn/") for item in items) == 2
    samples = old.folded("13", without=["CoreShowChannels"])
    assert sum(having(samples, "asterisk_active_channels").values()) == len(items) - 2
    assert samples["asterisk_active_calls",] == len(
        {item["linkedid"] for item in items if "CBAnn" not in item["channel"]}
    )


def test_a_channel_without_application_has_none_on_13() -> None:
    assert any(item["application"] == "(null)" for item in old.answered("13", "Status").items)
    assert not any("null" in labels[0] for labels in having(old.folded("13"), "asterisk_application_channels"))


def test_what_13_has_no_list_for_is_absent() -> None:
    samples = old.folded("13")
    assert "PJSIPShowAors" not in old.lists("13")
    assert not there(samples, "asterisk_aor_contacts")
    assert ("asterisk_trunk_up", "telco-a") not in samples


def test_the_greeting_tells_the_version_where_core_settings_does_not() -> None:
    assert {ami: version_by_banner(ami) for ami in ((1, 0), (1, 1), (1, 2), (1, 3), (2, 4), (2, 10, 6), (5, 0, 1))} == {
        (1, 0): (1, 4),
        (1, 1): (1, 8),
        (1, 2): (10,),
        (1, 3): (11,),
        (2, 4): (12,),
        (2, 10, 6): (13,),
        (5, 0, 1): (),
    }


def test_an_unknown_server_is_taken_for_a_new_one() -> None:
    samples = old.folded("13", "lists/quiet", without=["CoreShowChannels"], known=Context())
    assert samples["asterisk_transcoding_channels",] == 0.0
