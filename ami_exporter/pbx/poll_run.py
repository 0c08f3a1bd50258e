"""One poll: streams the plan's answers into folds and collects each collector's result.

No I/O: the caller exchanges the actions on a link and passes every item to `item`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import (
    Context,
    Fold,
    LabelSet,
    Metric,
    Resumable,
    Unreadable,
)
from ami_exporter.collectors.rulefold import RuleFold, Take
from ami_exporter.collectors.table import SeriesBounds
from ami_exporter.exposition.writer import Family, Writer
from ami_exporter.pbx.plan import EnabledCollector, Plan

log = logging.getLogger(__name__)


class PollFault(StrEnum):
    """Why a collector failed in a poll; status page and log show it."""

    NONE = ""
    DOWN = "down"
    DEADLINE = "deadline"
    CUT = "cut"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_OFFERED = "not_offered"
    TORN = "torn"
    INTERNAL = "internal"


_FAULT_OF = {
    Outcome.REFUSED: PollFault.REFUSED,
    Outcome.FAILED: PollFault.FAILED,
    Outcome.CUT: PollFault.CUT,
    Outcome.DEADLINE: PollFault.DEADLINE,
    Outcome.TORN: PollFault.TORN,
}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one collector in a poll.

    seconds: total time of its answers; taken: monotonic time of the oldest one, which may be from an earlier poll.
    """

    name: str
    fault: PollFault
    seconds: float = 0.0
    families: Sequence[Family] = ()
    taken: float = 0.0
    detail: str = ""
    sent: tuple[Action, ...] = ()
    unavailable: tuple[Action, ...] = ()
    refused: tuple[tuple[Action, str], ...] = ()
    """Actions that were offered but refused, with the reason: permission_denied or not_supported."""

    @property
    def success(self) -> bool:
        """Whether every action that was sent was answered in full."""
        return self.fault is PollFault.NONE


Watch = Callable[[Action, Message], None]
_Sink = tuple["CollectorRun | None", Take]


@dataclass(slots=True)
class CollectorRun:
    """A collector's folds in one poll; the first exception in one of them breaks the run."""

    enabled: EnabledCollector
    sent: tuple[Action, ...]
    rules: RuleFold
    fold: Fold | None
    broken: bool = False
    unreadable: dict[Action, str] = field(default_factory=dict)
    """Actions with a complete answer that the collector cannot read, with the reason."""

    @staticmethod
    def new(
        enabled: EnabledCollector, sent: tuple[Action, ...], context: Context, bounds: SeriesBounds | None
    ) -> CollectorRun:
        """Make a run that waits for all its lists."""
        collector = enabled.collector
        fold = None if collector.fold is None else collector.fold(context)
        return CollectorRun(enabled, sent, RuleFold(collector, frozenset(sent), context, bounds), fold)

    @property
    def resumable(self) -> bool:
        """Whether some lists may come from the cache while others are requested; otherwise all do, or none."""
        return self.fold is None or isinstance(self.fold, Resumable)

    def again(
        self, sent: tuple[Action, ...], context: Context, bounds: SeriesBounds | None, cached: frozenset[Action]
    ) -> CollectorRun:
        """Return the next poll's run, which keeps the cached lists' items."""
        fold = self.fold
        if isinstance(fold, Resumable):
            fold = fold.again(context, cached)
        return CollectorRun(self.enabled, sent, self.rules.again(frozenset(sent), context, bounds, cached), fold)

    def taking(self, action: Action, event: str) -> Iterator[Take]:
        """Yield what takes items of this name, of one of the actions sent."""
        rules = self.rules.taking(action, event)
        if rules is not None:
            yield rules
        if self.fold is not None:
            yield partial(self.fold.item, action)

    def failed(self, error: Exception) -> None:
        """Note an exception of a fold, so that the other collectors go on; the first one is logged."""
        if not self.broken:
            log.error("collector failed on an item", exc_info=error, extra={"collector": self.enabled.collector.name})
        self.broken = True

    def families(self, complete: frozenset[Action], writer: Writer) -> list[Family]:
        """Return the families that the complete lists allow."""
        complete -= self.unreadable.keys()
        return writer.families(() if self.fold is None else self.fold.finish(complete), self.rules.values(complete))


class TimedAnswer(NamedTuple):
    """One complete answer: how long it took, and when it was there (monotonic seconds)."""

    seconds: float
    taken: float


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """A collector's last run, and its answers that this poll serves again."""

    run: CollectorRun
    answered: Mapping[Action, TimedAnswer]


@dataclass(slots=True)
class PollRun:
    """The folds of one poll. cached: by collector, answers that are served again and that the plan leaves out."""

    plan: Plan
    enabled: Sequence[EnabledCollector]
    context: Context
    bounds: SeriesBounds | None = None
    """Limit of label sets of a metric while lists arrive; None: no limit."""
    cached: Mapping[str, CachedAnswers] = field(default_factory=dict)
    runs: list[CollectorRun] = field(default_factory=list)
    _wanted: dict[Action, list[CollectorRun]] = field(default_factory=dict)
    _shown: dict[Action, list[Watch]] = field(default_factory=dict)
    _sinks: dict[Action, dict[str, list[_Sink]]] = field(default_factory=dict)
    """By action and name of the item, filled at the first item of each kind."""
    _last: Action | None = None
    _last_sinks: dict[str, list[_Sink]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.enabled:
            run = self._run(one)
            self.runs.append(run)
            for action in run.sent:
                self._wanted.setdefault(action, []).append(run)

    def _run(self, enabled: EnabledCollector) -> CollectorRun:
        name = enabled.collector.name
        sent, cached = self.plan.by_collector[name], self.cached.get(name)
        if cached is None:
            return CollectorRun.new(enabled, sent, self.context, self.bounds)
        return cached.run.again(sent, self.context, self.bounds, frozenset(cached.answered))

    def show(self, actions: Iterable[Action], watch: Watch) -> None:
        """Also pass the items of these actions to `watch`, if a collector has them polled."""
        for action in actions:
            self._shown.setdefault(action, []).append(watch)

    def item(self, action: Action, message: Message) -> None:
        """Pass one item to every fold that wants it."""
        if action is not self._last:  # a list's items come one after the other
            self._last, self._last_sinks = action, self._sinks.setdefault(action, {})
        event = message.cells[message.layout.event]
        sinks = self._last_sinks.get(event)
        if sinks is None:
            sinks = self._last_sinks[event] = self._wanting(action, event)
        for run, take in sinks:
            try:
                take(message)
            except Unreadable as error:
                if run is not None:
                    run.unreadable.setdefault(action, str(error))
            except Exception as error:
                if run is None:
                    raise
                run.failed(error)

    def _wanting(self, action: Action, event: str) -> list[_Sink]:
        folds: list[_Sink] = [(run, take) for run in self._wanted.get(action, ()) for take in run.taking(action, event)]
        return folds + [(None, partial(watch, action)) for watch in self._shown.get(action, ())]

    def unreadable(self) -> Iterator[tuple[Action, str]]:
        """Actions whose answer a collector could not read, with the reason."""
        for run in self.runs:
            yield from run.unreadable.items()

    def results(self, answers: Mapping[Action, Answer], writer: Writer, now: float) -> list[Result]:
        """Return the result of every collector in the poll."""
        complete = frozenset(action for action, answer in answers.items() if answer.full)
        return [self._result(run, answers, complete, writer, now) for run in self.runs]

    def answered(self, run: CollectorRun, answers: Mapping[Action, Answer], now: float) -> dict[Action, TimedAnswer]:
        """Return the complete answers a run has, from this poll and from the cache."""
        cached = self.cached.get(run.enabled.collector.name)
        answered = {} if cached is None else dict(cached.answered)
        for action in run.sent:
            answer = answers.get(action)
            if answer is not None and answer.full and action not in run.unreadable:
                answered[action] = TimedAnswer(answer.seconds, now)
        return answered

    def named(self, answers: Mapping[Action, Answer]) -> list[tuple[Metric, LabelSet]]:
        """Return the label values that complete lists named for event metrics."""
        complete = frozenset(action for action, answer in answers.items() if answer.full)
        return [named for run in self.runs if not run.broken for named in run.rules.named(complete)]

    def _result(
        self,
        run: CollectorRun,
        answers: Mapping[Action, Answer],
        complete: frozenset[Action],
        writer: Writer,
        now: float,
    ) -> Result:
        name = run.enabled.collector.name
        sent = self.plan.by_collector[name]
        missing = self.plan.unavailable.get(name, ())
        cached = self.cached.get(name)
        got = {action: answers[action] for action in sent if action in answers}
        fault, detail = _first_fault(got, run.unreadable)
        if fault is PollFault.NONE and run.enabled.required and missing:
            fault, detail = PollFault.NOT_OFFERED, missing[0].label
        families: Sequence[Family] = ()
        served_again: Mapping[Action, TimedAnswer] = {} if cached is None else cached.answered
        if run.broken:
            fault = PollFault.INTERNAL
        else:
            try:
                families = run.families(complete.union(served_again), writer)
            except Exception:
                log.exception("collector failed at the end of its lists", extra={"collector": name})
                fault = PollFault.INTERNAL
        return Result(
            name,
            fault,
            sum(answer.seconds for answer in got.values()) + sum(one.seconds for one in served_again.values()),
            families,
            min((one.taken for one in served_again.values()), default=now),
            detail,
            sent,
            missing,
            tuple((action, reason) for action, answer in got.items() if (reason := _reason(answer))),
        )


def _first_fault(answers: Mapping[Action, Answer], unreadable: Mapping[Action, str]) -> tuple[PollFault, str]:
    """Return why a collector failed, by its first failed action; a console command's fault names the command."""
    for action, answer in answers.items():
        if not answer.full or action in unreadable:
            why = unreadable.get(action, answer.message)
            fault = PollFault.FAILED if answer.full else _FAULT_OF[answer.outcome]
            return fault, f"{action.label}: {why}" if action.is_command else why
    return PollFault.NONE, ""


def _reason(answer: Answer) -> str:
    if answer.outcome is Outcome.REFUSED:
        return "permission_denied"
    return "not_supported" if answer.unsupported else ""
