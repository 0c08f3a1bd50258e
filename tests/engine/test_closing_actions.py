"""An action after which the server closes the session costs its own collector, and no other's figures."""

from __future__ import annotations

import pytest

from ami_exporter.pbx.closing_actions import LEFT_OUT_SECONDS
from tests.support.ami_server import Ended, Fields, Session
from tests.support.scripted_pbx import Hook, ScriptedPbx
from tests.support.targets import has, movable, scrape, target, value


def closing(pbx: ScriptedPbx, *, answers: bool) -> Hook:
    """Close the session after the answer, or instead of it."""

    def close(session: Session, action: Fields) -> None:
        if answers:
            session.send(*pbx.answer(action, []))
        raise Ended

    return close


@pytest.mark.parametrize(
    ("name", "answers"), [("QueueStatus", True), ("BridgeList", True), ("QueueStatus", False), ("Status", False)]
)
def test_the_others_have_their_figures_in_the_next_scrape(name: str, answers: bool) -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        pbx.hooks[name] = closing(pbx, answers=answers)
        scrape(one)
        for _ in range(4):
            found = scrape(one)
            assert value(found, "asterisk_up") == 1
            failed = {
                dict(labels)["collector"]
                for (metric, labels), success in found.items()
                if metric == "asterisk_scrape_collector_success" and success == 0
            }
            assert failed <= {"queues", "queue_members", "queue_averages", "bridges", "channels", "endpoints", "trunks"}
            assert has(found, "asterisk_active_calls") is (name != "Status")
            assert has(found, "asterisk_queue_callers") is (name != "QueueStatus")
        assert len(pbx.sessions) <= 3  # the first one, the one that finds the action, and the one after it


def test_it_is_tried_again_after_an_hour() -> None:
    monotonic, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks) as one:
        pbx.hooks["QueueStatus"] = closing(pbx, answers=False)
        for _ in range(3):
            scrape(one)
        pbx.hooks.clear()
        assert not has(scrape(one), "asterisk_queue_callers")
        monotonic.ahead += LEFT_OUT_SECONDS + 1
        assert has(scrape(one), "asterisk_queue_callers")
