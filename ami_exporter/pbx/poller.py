"""The poll side of one target: a lasting connection, one poll at a time, joined by scrapes that want a part of it."""

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

#: Modules load after AMI answers, and rights change: what the server offers is asked again this often.
REFRESH_SECONDS = 55.0
#: After a login without FullyBooted nobody can tell whether the server is still starting (or read=system is missing):
#: for so long it is asked at each poll.
SETTLING_SECONDS = 60.0
#: A link idle for longer may be half open: its first answer must come soon, or it is opened anew within the scrape.
IDLE_SECONDS = 5.0
FIRST_ANSWER_SECONDS = 2.0
#: A link over TLS is opened anew after so long: a certificate that was renewed is seen only by a new handshake.
TLS_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Polled:
    """What a scrape gets. up: logged in and answering. results: one for each collector that was wanted."""

    up: bool
    results: Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class _Setup:
    """What the configuration says of polls; a poll under way keeps the one it began with."""

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
        self._cut = False  # the last link was ended by the server
        self._last_used = 0.0
        self._opened = 0.0
        self._refreshed = 0.0
        self._stale_commands = False
        self._not_answered: frozenset[Action] = frozenset()  # offered, and yet refused by the last poll
        self._closed = False

    @property
    def names(self) -> frozenset[str]:
        """Names of all enabled collectors."""
        return frozenset(self._setup.enabled)

    def poll(self, names: frozenset[str], deadline: float) -> Polled:
        """Poll these collectors, or join a poll under way that covers them. Never later than the deadline."""
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
            mine.polled = self._poll_now(setup, names, deadline)
            return mine.polled
        finally:
            if self._closed:
                self._drop("")  # it took longer than `close` could wait
            with self._changed:
                mine.over = True
                self._running = None
                self._changed.notify_all()

    def _wait(self, running: _Running, deadline: float) -> bool:
        return self._changed.wait_for(lambda: running.over, max(0.0, deadline - self._clock()))

    def configure(self, enabled: Sequence[EnabledCollector], source: str | None, writer: Writer) -> None:
        """Use other collectors from the next poll on; nothing cached is served any more."""
        with self._changed:
            self._setup = _setup(enabled, source, writer)
            self._cache.forget()
            self._closing.forget()

    def refresh(self) -> None:
        """Ask the server again what it offers before the next poll: it was reloaded or has finished booting."""
        self._closing.forget()
        self._stale_commands = True

    def forget(self) -> None:
        """Serve nothing cached any more."""
        self._cache.forget()

    def close(self, timeout: float = 2.0) -> None:
        """Log off, once the poll under way has ended; polls afterwards find the target down."""
        self._closed = True
        with self._changed:
            if self._running is None or self._wait(self._running, self._clock() + timeout):
                self._drop("")

    def _worth_repeating(self, joined: Polled, names: frozenset[str], deadline: float) -> bool:
        late = any(joined.results[name].fault is PollFault.DEADLINE for name in names)
        return late and deadline - self._clock() > 1.0

    def _poll_now(self, setup: _Setup, names: frozenset[str], deadline: float) -> Polled:
        for last in (False, True):
            reused = self._link is not None
            try:
                link = self._session(deadline)
                answers, poll = self._exchange(setup, link, names, deadline)
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
            # The server was starting at our login and has finished since; when, nobody can tell, for the news waited
            # unread. The answer to a new login says how long it has been up, and what modules have come.
            self._drop("")
            self._cache.forget()  # modules that were loading listed less than there is
        while self._link is None:
            self._link = self._connector.open("poll", deadline)
            self._opened = self._refreshed = self._clock()
            self._stale_commands = False
            suspected = self._closing.suspected
            try:
                self._learn(self._link, deadline)
            except LinkClosed as error:
                if self._closing.suspected == suspected:  # nothing new was learned of what ends sessions
                    raise
                self._drop(str(error))
        return self._link

    def _must_ask_again(self, link: Link) -> bool:
        """Tell whether what the server offers may be something else by now."""
        now = self._clock()
        return (
            self._stale_commands
            or now - self._refreshed > REFRESH_SECONDS
            or self._facts.booting
            or (link.boot is None and now - self._opened < SETTLING_SECONDS)
        )

    def _learn(self, link: Link, deadline: float) -> None:
        """Find out what decides the folds: technologies, start time, trunks, whether realtime is on."""
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
            self._cache.forget()  # it was restarted, or may have been: without Uptime nobody can tell
        self._cut = False

    def _exchange(
        self, setup: _Setup, link: Link, names: frozenset[str], deadline: float
    ) -> tuple[Mapping[Action, Answer], PollRun]:
        with self._connector.shared.turn:
            plan, poll = self._prepare(setup, link, names)
        idle = self._clock() - self._last_used > IDLE_SECONDS
        limit = self._first_answer(deadline) if idle and self._last_used else None
        answers = self._closing.exchange(link, plan.listed, poll.item, deadline, limit)
        self._last_used = self._clock()
        if _tells_uptime(self._boot):  # else nobody can tell which start it is that is alive
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
        if late or ping.outcome is Outcome.CUT:  # nothing of a PBX that does not answer, not even cached answers
            return self._down([run.enabled.collector.name for run in poll.runs], ping.message, late=late)
        now = self._clock()
        results = {result.name: result for result in poll.results(answers, setup.writer, now)}
        self._counters.know(poll.named(answers))
        complete = frozenset(action for action, answer in answers.items() if answer.full)
        if self._facts.finish(complete):
            self._cache.forget()  # folds looked at other trunks
        elif setup is self._setup:  # a reload meanwhile: nothing of before may be served again
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
