"""Gauges that events raise and lower: there while the event link holds, and from 0 when it begins again."""

from __future__ import annotations

from ami_exporter.config.secret import Secret
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.targets import has, listening, scrape, target, until, value

RUNNING = "asterisk_recordings_in_progress"
STARTED = "Channel: PJSIP/1001-00000001\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n"


def test_recordings_in_progress_come_and_go_with_the_event_link() -> None:
    with (
        SimulatedPbx(DemoSettings(traffic=0.0)) as pbx,
        target(pbx.port, username=pbx.username, secret=Secret(pbx.secret), events=True) as one,
    ):
        listening(one)
        scrape(one)
        assert value(scrape(one), RUNNING) == 0
        pbx._do(lambda: pbx._broadcast("MixMonitorStart", "call", STARTED))
        until(lambda: value(scrape(one), RUNNING) == 1)
        pbx.stop()
        until(lambda: not has(scrape(one), RUNNING))
        assert value(scrape(one), "asterisk_recorded_calls_total") == 1
        pbx.start()
        until(lambda: value(scrape(one), RUNNING) == 0)
        assert value(scrape(one), "asterisk_recorded_calls_total") == 1
