"""UserEvents have a session for themselves: they are believed there alone, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from ami_exporter.ami.header_orders import ORDERS, Era
from ami_exporter.collectors import custom
from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.custom_settings import CustomMetric, CustomMetricsSettings
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.stats import EVENT_LINKS, LinkName
from ami_exporter.pbx.target import Target
from tests.support.ami_server import Ended, Fields, Session
from tests.support.ami_wire import packet
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import read_back, scrape, target, until, value

pytestmark = pytest.mark.slow

CALLBACKS = CustomMetricsSettings(
    action=None,
    item=None,
    event="UserEvent",
    where={"userevent": ("callback",)},
    metrics=(CustomMetric("asterisk_custom_callbacks_total", "counter", "Callbacks."),),
)
WITH_RULE: tuple[Collector, ...] = (*builtin(), custom.collector([CALLBACKS]))
CALLBACK = (("Event", "UserEvent"), ("Privilege", "user,all"), ("UserEvent", "Callback"))
SHUTDOWN = (("Event", "Shutdown"), ("Privilege", "system,all"), ("Shutdown", "Uncleanly"), ("Restart", "False"))


def user_event(**values: str) -> list[tuple[str, str]]:
    """A UserEvent of a channel, with all headers that Asterisk 22 writes."""
    order = ORDERS[Era.MODERN]["userevent"][0]
    names = [place.name for place in order if not place.optional and place.name not in ("event", "privilege")]
    values.setdefault("userevent", "Callback")
    return [*CALLBACK[:2], *((name, values.get(name, f"{name}-1")) for name in names)]


class Switchboard:
    """A PBX that sends events to the sessions that asked for their class."""

    def __init__(self, pbx: ScriptedPbx) -> None:
        self.pbx = pbx
        self._masks: dict[str, Session] = {}
        pbx.hooks["Login"] = self._login

    def _login(self, session: Session, action: Fields) -> None:
        self._masks[action.get("Events", "")] = session
        self.pbx.obey(session, action)

    def masks(self) -> set[str]:
        """What the logins asked for."""
        return set(self._masks)

    def session(self, *, user_events: bool) -> Session:
        """The session of UserEvents, or that of all other events."""
        (found,) = (
            one for mask, one in self._masks.items() if (mask == "user") is user_events and mask not in ("system", "on")
        )
        return found


@contextmanager
def watched(known: Sequence[Collector] = WITH_RULE) -> Iterator[tuple[Switchboard, Target]]:
    with ScriptedPbx() as pbx:
        board = Switchboard(pbx)
        with target(pbx.port, known=known, events=True) as one:
            wanted: tuple[LinkName, ...] = EVENT_LINKS if known is WITH_RULE else ("events",)
            until(lambda: all(one.stats.up_since(link) is not None for link in wanted), "the event links")
            yield board, one


def counted(one: Target, name: str, **labels: str) -> float:
    return value(read_back(one.counters.families()), name, **labels) or 0.0


def doubtful(one: Target) -> float:
    return value(read_back(one.stats.families()), "ami_exporter_protocol_errors_total", kind="doubtful_event") or 0.0


def test_class_user_is_asked_for_by_a_session_of_its_own_and_only_where_a_rule_wants_it() -> None:
    with watched() as (board, one):
        assert "user" in board.masks()
        assert [mask for mask in board.masks() if "user" in mask.split(",")] == ["user"]
        assert value(scrape(one), "ami_exporter_link_up", link="user_events") == 1
    with watched(builtin()) as (board, one):
        assert [mask for mask in board.masks() if "user" in mask.split(",")] == []
        assert value(scrape(one), "ami_exporter_link_up", link="user_events") is None


def test_a_user_event_counts_on_its_own_session_and_on_no_other() -> None:
    with watched() as (board, one):
        board.session(user_events=True).send(packet(*CALLBACK))
        until(lambda: counted(one, "asterisk_custom_callbacks_total") == 1, "the event")
        board.session(user_events=False).send(packet(*CALLBACK), packet(*SHUTDOWN), packet(*SHUTDOWN))
        until(lambda: counted(one, "asterisk_shutdowns_total", kind="unclean") >= 1, "the events after it")
        assert counted(one, "asterisk_custom_callbacks_total") == 1
        until(lambda: doubtful(one) == 1, "the refusal to be counted")


def test_what_the_text_of_a_user_event_forges_counts_for_nothing() -> None:
    with watched() as (board, one):
        text = f"a\r\n\r\n{packet(*SHUTDOWN).decode()}X: b"
        board.session(user_events=True).send(packet(*CALLBACK, ("Text", text)), packet(*CALLBACK), packet(*CALLBACK))
        until(lambda: counted(one, "asterisk_custom_callbacks_total") == 3, "three events")
        assert counted(one, "asterisk_shutdowns_total", kind="unclean") == 0


def test_a_user_event_with_line_ends_in_its_text_or_its_callers_number_counts_once() -> None:
    """A session that answers with forged events, headers that come again, and a beginning torn before the name."""
    forged = f"1\r\n\r\n{packet(*SHUTDOWN).decode()}X: "
    again = "1\r\nUniqueid: 9.9\r\nLinkedid: 9.9"
    with watched() as (board, one):
        session = board.session(user_events=True)
        session.send(packet(*user_event(), ("Info", forged)))
        session.send(packet(*user_event(), ("Info", again)))
        session.send(packet(*user_event(calleridnum=forged), ("Info", "x")))
        session.send(packet(*user_event(calleridnum=forged), ("Info", forged)))
        session.send(packet(*user_event()))
        until(lambda: counted(one, "asterisk_custom_callbacks_total") == 5, "five events")
        assert counted(one, "asterisk_shutdowns_total", kind="unclean") == 0


def test_a_gap_is_counted_while_the_session_of_user_events_is_down_and_trackers_go_on() -> None:
    def refuse(session: Session, action: Fields) -> None:
        if action.get("Events") == "user":
            raise Ended
        board.pbx.obey(session, action)

    with watched() as (board, one):
        scraped = scrape(one)
        before = value(scraped, "ami_exporter_events_gap_seconds_total") or 0.0
        board.pbx.hooks["Login"] = refuse
        connection = board.session(user_events=True).connection
        connection.shutdown(2)
        until(lambda: one.stats.up_since("user_events") is None, "the loss")
        until(lambda: one.stats.gap() > before, "the gap to grow")
        assert value(scrape(one), "ami_exporter_link_up", link="events") == 1
        board.pbx.hooks["Login"] = board._login
        until(lambda: one.stats.up_since("user_events") is not None, "the link again")


def test_a_reload_opens_and_closes_the_session_and_leaves_the_other_alone() -> None:
    with ScriptedPbx() as pbx:
        Switchboard(pbx)
        with target(pbx.port, known=builtin(), events=True) as one:
            until(lambda: one.stats.up_since("events") is not None, "the event link")
            settings: TargetSettings = one.settings
            one.reconfigure(settings, WITH_RULE)
            until(lambda: one.stats.up_since("user_events") is not None, "the second event link")
            one.reconfigure(settings, builtin())
            found = scrape(one)
            assert value(found, "ami_exporter_link_up", link="user_events") is None
            assert value(found, "ami_exporter_link_connects_total", link="events") == 1
            one.reconfigure(settings, WITH_RULE)
            until(lambda: one.stats.up_since("user_events") is not None, "the second event link again")
