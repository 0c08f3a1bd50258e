"""Back-off of connections, deadlines and the load guard: time is passed in."""

from collections.abc import Iterable

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Sample
from ami_exporter.pbx.answer_cache import AnswerCache
from ami_exporter.pbx.login_backoff import ReconnectBackoff
from ami_exporter.pbx.plan import EnabledCollector
from ami_exporter.pbx.poll_run import CollectorRun, TimedAnswer
from ami_exporter.service.deadline import scrape_seconds


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_reconnection_waits_a_random_part_of_a_growing_bounded_time() -> None:
    backoff = ReconnectBackoff(lambda: 1.0)
    assert [backoff.failed() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.succeeded()
    assert backoff.failed() == 1.0


@pytest.mark.parametrize(
    ("header", "timeout", "seconds"),
    [
        ("10", 9.0, 9.0),
        ("10", 20.0, 9.5),
        ("5", 9.0, 4.5),
        ("1.2", 9.0, 0.7),
        ("1", 9.0, 0.5),
        ("0.4", 9.0, 0.2),
        (None, 9.0, 9.0),
        ("soon", 7.0, 7.0),
        ("nan", 7.0, 7.0),
        ("inf", 7.0, 7.0),
        ("-3", 7.0, 7.0),
        ("0", 7.0, 7.0),
    ],
)
def test_a_scrape_ends_before_prometheus_gives_up(header: str | None, timeout: float, seconds: float) -> None:
    assert scrape_seconds(header, timeout) == pytest.approx(seconds)


STATUS, AORS, CONTACTS = Action("Status"), Action("PJSIPShowAors"), Action("PJSIPShowContacts")


def feed(name: str, *sent: Action, resumable: bool = True) -> CollectorRun:
    fold = None if resumable else lambda _context: Deaf()
    collector = Collector(name, name, (), polls=tuple((action,) for action in sent), fold=fold)
    return CollectorRun.new(EnabledCollector(collector), sent, Context(), None)


class Deaf:
    """A fold that cannot join old lists with new ones."""

    def item(self, _action: Action, _message: Message) -> None: ...

    def finish(self, _complete: frozenset[Action]) -> Iterable[Sample]:
        return ()


class Rests:
    """An answer cache and what it serves again, by collector."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.cache = AnswerCache(self.clock)

    def told(self, feed: CollectorRun, **seconds: float) -> None:
        """The answers took so long; those of AORS and CONTACTS rest a minute whatever they took."""
        told = {action: TimedAnswer(seconds.get(action.name, 0.1), self.clock.now) for action in feed.sent}
        self.cache.keep(feed, told, lambda action: 0.0 if action == STATUS else 60.0)

    def of(self, **feeds: tuple[Action, ...]) -> dict[str, set[Action]]:
        return {name: set(one.answered) for name, one in self.cache.cached(feeds).items()}


def test_a_slow_answer_rests_twenty_times_as_long_as_it_took() -> None:
    rests = Rests()
    rests.told(feed("channels", STATUS), Status=0.6)
    rests.clock.now += 11.9
    assert rests.of(channels=(STATUS,)) == {"channels": {STATUS}}
    rests.clock.now += 0.2
    assert rests.of(channels=(STATUS,)) == {}


def test_a_quick_answer_is_never_served_again() -> None:
    rests = Rests()
    rests.told(feed("channels", STATUS), Status=0.49)
    assert rests.of(channels=(STATUS,)) == {}


def test_a_list_rests_alone_while_the_others_of_its_collector_are_asked() -> None:
    rests = Rests()
    rests.told(feed("endpoints", STATUS, AORS))
    rests.clock.now += 59.0
    assert rests.of(endpoints=(STATUS, AORS)) == {"endpoints": {AORS}}
    rests.clock.now += 1.0
    assert rests.of(endpoints=(STATUS, AORS)) == {}


def test_a_list_that_one_collector_does_not_know_is_asked_for_all() -> None:
    rests = Rests()
    rests.told(feed("endpoints", STATUS, AORS))
    assert rests.of(endpoints=(STATUS, AORS), contacts=(AORS, CONTACTS)) == {}
    rests.told(feed("contacts", AORS, CONTACTS))
    both = {"endpoints": (STATUS, AORS), "contacts": (AORS, CONTACTS)}
    assert rests.of(**both) == {"endpoints": {AORS}, "contacts": {AORS, CONTACTS}}


def test_a_fold_that_cannot_join_rests_as_a_whole_or_not_at_all() -> None:
    rests = Rests()
    rests.told(feed("stiff", AORS, CONTACTS, resumable=False))
    assert rests.of(stiff=(AORS, CONTACTS)) == {"stiff": {AORS, CONTACTS}}
    rests.told(feed("contacts", CONTACTS))
    rests.told(feed("stiff", STATUS, AORS, CONTACTS, resumable=False))
    assert rests.of(stiff=(STATUS, AORS, CONTACTS), contacts=(CONTACTS,)) == {}


def test_a_broken_feed_and_a_forgotten_one_know_nothing() -> None:
    rests = Rests()
    one = feed("contacts", AORS)
    rests.told(one)
    rests.cache.forget()
    assert rests.of(contacts=(AORS,)) == {}
    rests.told(one)
    one.broken = True
    rests.told(one)
    assert rests.of(contacts=(AORS,)) == {}
