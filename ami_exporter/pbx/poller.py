"""The poll link of one target: a lasting connection and one poll at a time, which other scrapes may join."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Condition

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import AmiError, LinkClosed, StaleLink
from ami_exporter.ami.link import Answer, Boot, Link, Outcome
from ami_exporter.exposition.writer import Writer
from ami_exporter.pbx.answer_cache import AnswerCache
from ami_exporter.pbx.closing_actions import ClosingActions
from ami_exporter.pbx.command_link import CommandLink
from ami_exporter.pbx.connector import Connector
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.event_rights import EventRights
from ami_exporter.pbx.login_backoff import LoginPaused
from ami_exporter.pbx.plan import PING, EnabledCollector, Plan, make_plan, preferred
from ami_exporter.pbx.poll_run import PollFault, PollRun, Result
from ami_exporter.pbx.server_facts import ServerFacts

log = logging.getLogger(__name__)

#: Seconds between two ListCommands: modules load after AMI answers, and rights change.
REFRESH_SECONDS = 55.0
#: After a login without FullyBooted the server may still be starting, or read=system is missing. For so many seconds
#: each poll asks again what the server offers.
SETTLING_SECONDS = 60.0
#: A link idle for longer may be half open: if its first answer is late, the scrape opens a new link.
IDLE_SECONDS = 5.0
FIRST_ANSWER_SECONDS = 2.0
#: The part of its time that a scrape may wait for its first turn: with less left, its answer would come too late.
WAITING_PART = 0.5
#: A TLS link is reopened after so many seconds, because only a new handshake shows a renewed certificate.
TLS_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Polled:
    """What a scrape gets. up: logged in and answering. results: one for each requested collector."""

    up: bool
    results: Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class _Setup:
    """The settings of polls; a running poll keeps those it began with."""

    enabled: Mapping[str, EnabledCollector]
    source: str | None
    writer: Writer


@dataclass(slots=True)
class _Running:
    names: frozenset[str]
    polled: Polled | None = None
    over: bool = False


class Poller:
    """Polls one target. clock: monotonic seconds."""

    def __init__(
        self,
        enabled: Sequence[EnabledCollector],
        source: str | None,
        *,
        connector: Connector,
        commands: CommandLink,
        facts: ServerFacts,
        counters: EventCounters,
        rights: Callable[[], Iterable[EventRights]],
        writer: Writer,
        clock: Callable[[], float],
    ) -> None:
        self._connector = connector
        self._commands = commands
        self._setup = _setup(enabled, source, writer)
        self._facts = facts
        self._counters = counters
        self._rights = rights
        self._clock = clock
        self._cache = AnswerCache(clock)
        self._closing = ClosingActions(clock)
        self._changed = Condition()
        self._running: _Running | None = None
        self._link: Link | None = None
        self._boot: Boot | None = None
        self._cut = False  # the server ended the last link
        self._last_used = 0.0
        self._opened = 0.0
        self._refreshed = 0.0
        self._stale_commands = False
        self._not_answered: frozenset[Action] = frozenset()  # offered, and yet refused by the last poll
        self._closed = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._setup.enabled)

    def poll(self, names: frozenset[str], deadline: float, *, urgent: bool = False) -> Polled:
        """Poll these collectors, or join a running poll that covers them. Returns before the deadline.

        Raises Overloaded, without having asked the PBX, if other scrapes leave too little time; not if it is urgent.
        """
        with self._changed:
            while self._running is not None:
                running = self._running
                if not self._wait(running, deadline):
                    return Polled(self._link is not None, {name: Result(name, PollFault.DEADLINE) for name in names})
                joined = running.polled
                if joined is not None and names <= running.names and not self._worth_repeating(joined, names, deadline):
                    return Polled(joined.up, {name: joined.results[name] for name in names})
            setup = self._setup
            names &= setup.enabled.keys()
            mine = self._running = _Running(names)
        try:
            mine.polled = self._poll_now(setup, names, deadline, urgent=urgent)
            return mine.polled
        finally:
            if self._closed:
                self._drop("")  # the poll took longer than `close` could wait
            with self._changed:
                mine.over = True
                self._running = None
                self._changed.notify_all()

    def _wait(self, running: _Running, deadline: float) -> bool:
        return self._changed.wait_for(lambda: running.over, max(0.0, deadline - self._clock()))

    def configure(self, enabled: Sequence[EnabledCollector], source: str | None, writer: Writer) -> None:
        """Use other collectors from the next poll on, and drop cached answers."""
        with self._changed:
            self._setup = _setup(enabled, source, writer)
            self._cache.forget()
            self._closing.forget()

    def refresh(self) -> None:
        """Send ListCommands again before the next poll, because the server was reloaded or has finished booting."""
        self._closing.forget()
        self._stale_commands = True

    def forget(self) -> None:
        """Drop cached answers."""
        self._cache.forget()

    def close(self, timeout: float = 2.0) -> None:
        """Log off once the running poll has ended; later polls find the target down."""
        self._closed = True
        with self._changed:
            if self._running is None or self._wait(self._running, self._clock() + timeout):
                self._drop("")

    def _worth_repeating(self, joined: Polled, names: frozenset[str], deadline: float) -> bool:
        late = any(joined.results[name].fault is PollFault.DEADLINE for name in names)
        return late and deadline - self._clock() > 1.0

    def _poll_now(self, setup: _Setup, names: frozenset[str], deadline: float, *, urgent: bool) -> Polled:
        for last in (False, True):
            reused = self._link is not None
            try:
                link = self._session(deadline)
                answers, poll = self._exchange(setup, link, names, deadline, urgent=urgent)
            except (StaleLink, LinkClosed) as error:
                self._drop(str(error))
                self._cut = True
                if reused and not last:
                    continue
                return self._down(names, str(error))
            except (AmiError, LoginPaused) as error:
                self._drop(str(error))
                return self._down(names, str(error))
            if link.closed and not last and self._closing.found:
                self._drop("one of the actions ends the session; it is left out")
                continue
            if link.closed:
                cut = next((answer.message for answer in answers.values() if not answer.full), "")
                self._drop(cut)
                self._cut = any(answer.outcome is Outcome.CUT for answer in answers.values())
                if reused and not last and all(answer.outcome is Outcome.CUT for answer in answers.values()):
                    continue
            else:
                self._connector.works("poll")
            with self._connector.shared.turn:
                return self._results(setup, poll, answers)
        raise AssertionError  # the second round always returns

    def _session(self, deadline: float) -> Link:
        if self._closed:
            raise LinkClosed("the target was removed")
        if self._link is not None and self._link.certificate_ends and self._clock() - self._opened > TLS_SECONDS:
            self._drop("")
        link = self._link
        if link is not None and link.boot is self._boot and self._must_ask_again(link):
            self._stale_commands = False
            self._refreshed = self._clock()
            link.refresh_commands(deadline, self._first_answer(deadline))
            self._facts.offered(link)
        if link is not None and link.boot is not self._boot:
            # The server was starting at our login and has finished since. The time is unknown, because the event waited
            # unread. The answer to a new login gives its uptime and the modules that have been loaded.
            self._drop("")
            self._cache.forget()  # lists were incomplete while modules were loading
        while self._link is None:
            self._link = self._connector.open("poll", deadline)
            self._opened = self._refreshed = self._clock()
            self._stale_commands = False
            suspected = self._closing.suspected
            try:
                self._learn(self._link, deadline)
            except LinkClosed as error:
                if self._closing.suspected == suspected:  # nothing new about what ends sessions
                    raise
                self._drop(str(error))
        return self._link

    def _must_ask_again(self, link: Link) -> bool:
        """Whether the server may offer other actions by now."""
        now = self._clock()
        return (
            self._stale_commands
            or now - self._refreshed > REFRESH_SECONDS
            or self._facts.booting
            or (link.boot is None and now - self._opened < SETTLING_SECONDS)
        )

    def _learn(self, link: Link, deadline: float) -> None:
        """Find out what folds depend on: technologies, start time, trunks, realtime."""
        before, self._boot = self._boot, link.boot
        self._facts.offered(link)
        wanted = self._facts.wants(link)
        answers = self._closing.exchange(link, wanted, self._facts.item, deadline) if wanted else {}
        if link.closed:
            raise LinkClosed("the connection ended while the server was asked for its trunks")
        restarted = self._facts.connected(link.boot)
        self._facts.finish(frozenset(a for a, answer in answers.items() if answer.full))
        if restarted:
            self._closing.forget()
        if restarted or (self._cut and not (_tells_uptime(before) and _tells_uptime(link.boot))):
            self._cache.forget()  # it was restarted, or may have been: without Uptime it is unknown
        self._cut = False

    def _exchange(
        self, setup: _Setup, link: Link, names: frozenset[str], deadline: float, *, urgent: bool
    ) -> tuple[Mapping[Action, Answer], PollRun]:
        shared = self._connector.shared
        with shared.turn if urgent else shared.first_turn((deadline - self._clock()) * WAITING_PART):
            plan, poll = self._prepare(setup, link, names)
        idle = self._clock() - self._last_used > IDLE_SECONDS
        limit = self._first_answer(deadline) if idle and self._last_used else None
        answers = self._closing.exchange(link, plan.listed, poll.item, deadline, limit)
        self._last_used = self._clock()
        if _tells_uptime(self._boot):  # otherwise it is unknown which start is alive
            self._facts.alive(link.alive_at)
        self._connector.count_errors(link)
        if plan.commands and answers[PING].full:
            answers = {**answers, **self._commands.exchange(plan.commands, poll.item, deadline)}
            for action, why in poll.unreadable():
                self._commands.failed(action, why)
        return answers, poll

    def _prepare(self, setup: _Setup, link: Link, names: frozenset[str]) -> tuple[Plan, PollRun]:
        due = [one for name, one in setup.enabled.items() if name in names]
        plan = make_plan(
            due, link.commands or None, setup.source or preferred(link.version), commands=self._commands.available
        )
        cached = self._cache.cached(plan.by_collector)
        plan = plan.without({action for answers in cached.values() for action in answers.answered})
        context = replace(self._facts.context(), seen_direction=self._counters.seen_direction)
        poll = PollRun(plan, due, context, setup.writer, cached)
        poll.show(self._counters.watched, self._counters.watch)
        poll.show(self._facts.watched, self._facts.item)
        for rights in self._rights():
            poll.show(rights.watched, rights.item)
        return plan, poll

    def _first_answer(self, deadline: float) -> float:
        return min(FIRST_ANSWER_SECONDS, max(0.05, (deadline - self._clock()) / 3))

    def _results(self, setup: _Setup, poll: PollRun, answers: Mapping[Action, Answer]) -> Polled:
        ping = answers[PING]
        late = ping.outcome is Outcome.DEADLINE
        if late or ping.outcome is Outcome.CUT:  # a PBX that does not answer has no samples, not even cached ones
            return self._down([run.enabled.collector.name for run in poll.runs], ping.message, late=late)
        now = self._clock()
        results = {result.name: result for result in poll.results(answers, setup.writer, now)}
        self._counters.know(poll.named(answers))
        complete = frozenset(action for action, answer in answers.items() if answer.full)
        if self._facts.finish(complete):
            self._cache.forget()  # the folds used other trunks
        elif setup is self._setup:  # reloaded meanwhile: earlier answers may not be served again
            for run in poll.runs:
                self._cache.keep(run, poll.answered(run, answers, now), self._at_least(run.enabled))
        self._note_not_answered(answers)
        return Polled(ping.outcome is Outcome.COMPLETE, results)

    def _note_not_answered(self, answers: Mapping[Action, Answer]) -> None:
        """Ask again what the server offers when it refuses something that it did not refuse the time before."""
        refused = {one for one, answer in answers.items() if answer.outcome is Outcome.REFUSED or answer.unsupported}
        self._stale_commands = self._stale_commands or not self._not_answered.issuperset(refused)
        self._not_answered = (self._not_answered - answers.keys()) | refused

    def _at_least(self, enabled: EnabledCollector) -> Callable[[Action], float]:
        interval = enabled.min_interval
        if enabled.paced:
            return lambda _action: interval
        return lambda action: max(interval, action.spec.min_interval, self._facts.min_interval(action))

    def _down(self, names: Collection[str], reason: str, *, late: bool = False) -> Polled:
        self._cache.forget()
        fault = PollFault.DEADLINE if late else PollFault.DOWN
        return Polled(up=False, results={name: Result(name, fault, detail=reason) for name in names})

    def _drop(self, reason: str) -> None:
        if self._link is not None:
            link, self._link = self._link, None
            link.close()
            self._connector.lost("poll", link, reason)


def _tells_uptime(boot: Boot | None) -> bool:
    return boot is not None and boot.uptime is not None


def _setup(enabled: Sequence[EnabledCollector], source: str | None, writer: Writer) -> _Setup:
    return _Setup({one.collector.name: one for one in enabled}, source, writer)
