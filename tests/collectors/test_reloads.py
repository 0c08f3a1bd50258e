"""The time of the last reload across changes of daylight saving, which CoreStatus does not name."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.ami.message import Message
from ami_exporter.collectors.reloads import Reload, last_reload
from tests.support.collecting import message

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
#: 25 October 2026, 01:00 UTC: clocks go back from 03:00 to 02:00.
BACK = datetime(2026, 10, 25, 3, tzinfo=BERLIN).timestamp() - 3600
#: 29 March 2026, 01:00 UTC: clocks go on from 02:00 to 03:00.
ON = datetime(2026, 3, 29, 3, tzinfo=BERLIN).timestamp()


def status(started: float, reloaded: float, zone: str = "Europe/Berlin") -> Message:
    """CoreStatus of a PBX in this zone."""
    start, reload = (datetime.fromtimestamp(time, ZoneInfo(zone)) for time in (started, reloaded))
    return message(
        f"""
        CoreStartupDate: {start:%Y-%m-%d}
        CoreStartupTime: {start:%H:%M:%S}
        CoreReloadDate: {reload:%Y-%m-%d}
        CoreReloadTime: {reload:%H:%M:%S}
        """
    )


@pytest.mark.parametrize("change", [BACK, ON], ids=["clocks back", "clocks on"])
@pytest.mark.parametrize("after", [-1800.0, 600.0, 7200.0])
def test_a_reload_between_two_polls_is_right_around_a_change_of_daylight_saving(change: float, after: float) -> None:
    started, reloaded = change - 86_400.0, change + after
    before = last_reload(status(started, started), None, started, reloaded - 10)
    assert before == Reload(before.written, started, reloaded - 10) if before else False
    found = last_reload(status(started, reloaded), before, started, reloaded + 5)
    assert found is not None
    assert found.time == reloaded
    later = last_reload(status(started, reloaded), found, started, reloaded + 90_000)
    assert later is not None
    assert later.time == reloaded


@given(
    st.sampled_from(ZONES),
    st.integers(1_700_000_000, 1_900_000_000),
    st.integers(0, 400 * 86_400),
    st.integers(1, 60),
    st.integers(0, 60),
)
def test_a_time_is_right_or_not_told(zone: str, started: int, up: int, before: int, after: int) -> None:
    reloaded = started + up
    known = last_reload(status(started, started, zone), None, started, reloaded - before)
    found = last_reload(status(started, reloaded, zone), known, started, reloaded + after)
    assert found is not None
    assert found.time == reloaded


def test_where_several_offsets_fit_the_time_is_not_told() -> None:
    started = BACK - 86_400.0
    found = last_reload(status(started, BACK + 7200), None, started, BACK + 90_000)
    assert found is not None
    assert found.time is None


def test_a_clock_that_was_set_between_start_and_reload_tells_no_time() -> None:
    started = BACK - 86_400.0
    before = last_reload(status(started, started), None, started, started + 1000)
    found = last_reload(status(started, started + 1010 + 420), before, started, started + 1020)
    assert found is not None
    assert found.time is None
