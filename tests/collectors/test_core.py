from __future__ import annotations

import pytest

from ami_exporter.collectors import core
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.reloads import last_reload
from tests.support.collecting import message, polled

SETTINGS = message(
    """
    Response: Success
    AMIversion: 11.0.0
    AsteriskVersion: 22.10.1
    SystemName: pbx1
    CoreMaxCalls: 100
    CoreMaxLoadAvg: 4.500000
    CoreMaxFilehandles: 0
    """
)
STATUS = message(
    """
    Response: Success
    CoreStartupDate: 2026-11-22
    CoreStartupTime: 23:59:50
    CoreReloadDate: 2026-11-23
    CoreReloadTime: 00:01:00
    CoreCurrentCalls: 4
    CoreProcessedCalls: 1234
    """
)
BOOTED = Context(start_time=1_700_000_000.0, fully_booted=True, now=1_700_000_100.0)


def test_settings_become_version_and_only_limits_that_are_set() -> None:
    assert polled(core.COLLECTOR, {core.SETTINGS: [SETTINGS]}) == {
        ("asterisk_info", "22.10.1", "11.0.0", "pbx1"): 1,
        ("asterisk_calls_limit",): 100,
        ("asterisk_load_average_limit",): 4.5,
    }


def test_trap_core_current_calls_counts_channels_and_is_no_number_of_calls() -> None:
    samples = polled(core.COLLECTOR, {core.STATUS: [STATUS]})
    assert samples == {("asterisk_calls_processed_total",): 1234}


def test_trap_dates_without_zone_only_their_difference_is_used() -> None:
    samples = polled(core.COLLECTOR, {core.STATUS: [STATUS]}, BOOTED)
    assert samples["asterisk_last_reload_timestamp_seconds",] == 1_700_000_070.0


def test_start_and_boot_come_from_the_login() -> None:
    assert polled(core.COLLECTOR, {}, BOOTED) == {
        ("asterisk_start_time_seconds",): 1_700_000_000.0,
        ("asterisk_fully_booted",): 1,
    }
    assert polled(core.COLLECTOR, {}, Context(fully_booted=False)) == {("asterisk_fully_booted",): 0}


def test_trap_processed_calls_are_absent_where_the_server_does_not_send_them() -> None:
    old = message("Response: Success\nCoreCurrentCalls: 0")
    assert polled(core.COLLECTOR, {core.STATUS: [old]}) == {}


@pytest.mark.parametrize(
    ("date", "clock"), [("", ""), ("2026-11-22", "00:00:00"), ("22.11.2026", "10:00:00"), ("2026-11-23", "25:00:00")]
)
def test_an_unreadable_reload_or_one_before_the_start_is_unknown(date: str, clock: str) -> None:
    status = message(
        f"""
        CoreStartupDate: 2026-11-22
        CoreStartupTime: 23:59:50
        CoreReloadDate: {date}
        CoreReloadTime: {clock}
        """
    )
    found = last_reload(status, None, 1.0, 2_000_000_000.0)
    assert found is None or found.time is None


def test_a_cut_answer_tells_no_reload() -> None:
    assert ("asterisk_last_reload_timestamp_seconds",) not in polled(
        core.COLLECTOR, {core.STATUS: [STATUS]}, BOOTED, cut=[core.STATUS]
    )
