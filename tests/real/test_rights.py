"""What each tier of rights brings on real PBXs, and what the server refuses is not sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ami_exporter.ami.actions import ACTIONS
from tests.support import console
from tests.support.ami_raw import EventRecorder
from tests.support.exporter_process import ExporterProcess, Scrape, Series
from tests.support.pbx_pair import RichPbx
from tests.support.planted import AMI_SECRETS
from tests.support.watching import agree, enabled, watching

NOT_LOADED = {
    *("DAHDIShowChannels", "DAHDIShowStatus", "PRIShowSpans"),
    *("DongleShowDevices", "QuectelShowDevices"),
}
CHAN_SIP = {"SIPpeers", "SIPshowregistry"}
MAINTENANCE = {"PJSIPShowMaintenance"}  # Asterisk 20.20, 22.10, 23.4 on
VOICEMAIL = enabled("voicemail", "voicemail_mailboxes")
STEADY = (
    "asterisk_active_channels",
    "asterisk_active_calls",
    "asterisk_application_channels",
    "asterisk_bridges",
    "asterisk_queue_callers",
    "asterisk_queue_members",
    "asterisk_queue_members_paused",
    "asterisk_conference_participants",
    "asterisk_hints",
    "asterisk_device_states",
    "asterisk_voicemail_messages",
    "asterisk_fax_sessions",
    "asterisk_calls_limit",
)


@pytest.fixture(scope="module")
def of_reporting(rich: RichPbx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExporterProcess]:
    """An exporter whose user has write=reporting and read=system."""
    with watching(rich.server, tmp_path_factory.mktemp("reporting"), "reporting", VOICEMAIL) as running:
        yield running


@pytest.fixture(scope="module")
def of_all(rich: RichPbx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExporterProcess]:
    """An exporter whose user may do everything."""
    with watching(rich.server, tmp_path_factory.mktemp("all"), "all", VOICEMAIL) as running:
        yield running


def unavailable(scrape: Scrape) -> set[str]:
    return {action for (action,) in scrape.by("asterisk_scrape_collector_unavailable", "action")}


def test_reporting_alone_gets_every_list_that_reporting_allows(rich: RichPbx, of_reporting: ExporterProcess) -> None:
    scrape = of_reporting.get()
    missing = unavailable(scrape) - NOT_LOADED - (CHAN_SIP if rich.server.major > 16 else MAINTENANCE)
    assert missing == {
        "PJSIPShowEndpoints",
        "PJSIPShowContacts",
        "PJSIPShowAors",
        "Agents",
        "Parkinglots",
        "ParkedCalls",
    }
    assert not any("reporting" in ACTIONS[action].rights for action in missing)
    assert set(scrape.by("asterisk_scrape_collector_success", "collector").values()) == {1.0}


def test_reporting_alone_sees_the_same_figures_as_all_rights(
    of_reporting: ExporterProcess, of_all: ExporterProcess
) -> None:
    def steady(running: ExporterProcess) -> Series:
        return {key: value for key, value in running.get().series().items() if key[0] in STEADY}

    assert {name for name, _ in steady(of_all)} == set(STEADY)
    agree(lambda: steady(of_reporting), lambda: steady(of_all))


def test_reporting_alone_knows_pjsip_endpoints_by_their_device_states(
    rich: RichPbx, of_reporting: ExporterProcess
) -> None:
    def truth() -> console.Counts:
        states = [state for state, _, _ in console.pjsip_endpoints(rich.server).values()]
        words = ["unreachable" if state == "unavailable" else "reachable" for state in states]
        return console.counts([("PJSIP", word) for word in words])

    agree(
        lambda: {
            key: number
            for key, number in of_reporting.get().by("asterisk_endpoints", "technology", "state").items()
            if key[0] == "PJSIP"
        },
        truth,
    )


def test_registrations_need_no_more_than_reporting(rich: RichPbx, of_reporting: ExporterProcess) -> None:
    def figures() -> dict[str, str]:
        found = of_reporting.get().by("asterisk_registration_state", "technology", "registration", "state")
        return {name: state for technology, name, state in found if technology == "PJSIP"}

    agree(figures, lambda: console.pjsip_registrations(rich.server))


def test_nothing_refused_is_ever_sent(rich: RichPbx, of_reporting: ExporterProcess) -> None:
    """Each refused action writes a security event on the PBX, which fail2ban may take for an attack."""
    with EventRecorder(rich.server.ami_port, "all", AMI_SECRETS["all"], events="security") as recorder:
        for _ in range(3):
            assert of_reporting.get().value("asterisk_up") == 1
        assert recorder.count_by("RequestNotAllowed", "AccountID").get(("reporting",), 0) == 0
        assert recorder.count_by("RequestBadFormat", "AccountID").get(("reporting",), 0) == 0


def test_a_user_without_any_right_still_has_queues_and_bridges(rich: RichPbx, tmp_path: Path) -> None:
    with watching(rich.server, tmp_path, "nothing") as running:
        scrape = running.get()
        assert scrape.value("asterisk_up") == 1
        assert scrape.value("asterisk_queue_callers", queue="support") == 3
        assert sum(scrape.by("asterisk_bridges", "type").values()) == 9
        assert scrape.value("asterisk_active_calls") is None
        assert set(scrape.by("asterisk_scrape_collector_success", "collector").values()) == {1.0}


def test_required_and_not_offered_is_a_fault_of_that_collector_alone(rich: RichPbx, tmp_path: Path) -> None:
    with watching(rich.server, tmp_path, "reporting", enabled("agents", "channels", "dahdi")) as running:
        scrape = running.get()
        success = {
            dict(labels)["collector"]: value
            for (name, labels), value in scrape.series().items()
            if name == "asterisk_scrape_collector_success"
        }
        assert {name for name, value in success.items() if value == 0} == {"agents", "dahdi"}
        assert scrape.total("asterisk_active_channels") == 44
        page = running.get("/").body
        assert "enabled: true" in page
        assert "ami-exporter doctor" in page
