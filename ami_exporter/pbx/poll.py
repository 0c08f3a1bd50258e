"""One poll: the plan's answers streamed into folds, and what each collector makes of them.

No I/O: the caller exchanges the actions on a link and hands every item to `item`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.collectors.model import Context, Fold, Metric, Resumable, Sample
from ami_exporter.collectors.rowfold import RowFold
from ami_exporter.collectors.table import Bounds
from ami_exporter.exposition.writer import Family, Writer
from ami_exporter.pbx.plan import Chosen, Plan

log = logging.getLogger(__name__)

Key = tuple[str, ...]


class Fault(StrEnum):
    """Why a collector failed in a poll: the closed set of reasons shown on the status page and in the log."""

    NONE = ""
    DOWN = "down"
    DEADLINE = "deadline"
    CUT = "cut"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_OFFERED = "not_offered"
    INTERNAL = "internal"


_FAULT_OF = {
    Outcome.REFUSED: Fault.REFUSED,
    Outcome.FAILED: Fault.FAILED,
    Outcome.CUT: Fault.CUT,
    Outcome.DEADLINE: Fault.DEADLINE,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one collector got out of a poll.

    seconds: sum of its answers' times; taken: monotonic time of the oldest of them, which may be of an earlier poll.
    """

    name: str
    fault: Fault
    seconds: float = 0.0
    families: Sequence[Family] = ()
    taken: float = 0.0
    detail: str = ""
    sent: tuple[Action, ...] = ()
    unavailable: tuple[Action, ...] = ()
    refused: tuple[tuple[Action, str], ...] = ()
    """Actions that were offered and yet not answered, with the reason: permission_denied or not_supported."""

    @property
    def success(self) -> bool:
        """True when every action that was sent answered in full."""
        return self.fault is Fault.NONE


Watch = Callable[[Action, Message], None]


@dataclass(slots=True)
class Feed:
    """A collector's folds within one poll; broken by the first exception in one of them."""

    choice: Chosen
    sent: tuple[Action, ...]
    rows: RowFold
    fold: Fold | None
    broken: bool = False

    @staticmethod
    def new(choice: Chosen, sent: tuple[Action, ...], context: Context, bounds: Bounds | None) -> Feed:
        """A feed that waits for all its lists."""
        collector = choice.collector
        fold = None if collector.fold is None else collector.fold(context)
        return Feed(choice, sent, RowFold(collector, frozenset(sent), context, bounds), fold)

    @property
    def resumable(self) -> bool:
        """Whether some of its lists may rest while others are asked again; else all rest or none."""
        return self.fold is None or isinstance(self.fold, Resumable)

    def again(
        self, sent: tuple[Action, ...], context: Context, bounds: Bounds | None, resting: frozenset[Action]
    ) -> Feed:
        """Return the next poll's feed, which knows what the resting lists told."""
        fold = self.fold
        if isinstance(fold, Resumable):
            fold = fold.again(context, resting)
        return Feed(self.choice, sent, self.rows.again(frozenset(sent), context, bounds, resting), fold)

    def sinks(self) -> Iterator[tuple[Action, Watch]]:
        """The actions this collector is fed by, with what takes their items."""
        for action in self.rows.sources:
            yield action, self.rows.item
        if self.fold is not None:
            for action in self.sent:
                yield action, self.fold.item

    def failed(self, error: Exception) -> None:
        """Note an exception of a fold, which must not take the other collectors' numbers away; logs the first."""
        if not self.broken:
            log.error("collector failed on an item", exc_info=error, extra={"collector": self.choice.collector.name})
        self.broken = True

    def samples(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """All that the complete lists allow to publish."""
        yield from self.rows.finish(complete)
        if self.fold is not None:
            yield from self.fold.finish(complete)


@dataclass(frozen=True, slots=True)
class Told:
    """One complete answer: how long it took, and when it was there (monotonic seconds)."""

    seconds: float
    taken: float


@dataclass(frozen=True, slots=True)
class Rest:
    """What a collector's feed was told by lists that are not asked again in this poll."""

    feed: Feed
    told: Mapping[Action, Told]


@dataclass(slots=True)
class Poll:
    """Folds of one poll. rests: by collector, the lists that the plan leaves out: their answers are served again."""

    plan: Plan
    chosen: Sequence[Chosen]
    context: Context
    bounds: Bounds | None = None
    """How many label sets a metric may have while lists arrive; None: any number."""
    rests: Mapping[str, Rest] = field(default_factory=dict)
    feeds: list[Feed] = field(default_factory=list)
    _sinks: dict[Action, list[tuple[Feed | None, Watch]]] = field(default_factory=dict)
    _last: tuple[Action, list[tuple[Feed | None, Watch]]] | None = None

    def __post_init__(self) -> None:
        for choice in self.chosen:
            feed = self._feed(choice)
            self.feeds.append(feed)
            for action, sink in feed.sinks():
                self._sinks.setdefault(action, []).append((feed, sink))

    def _feed(self, choice: Chosen) -> Feed:
        name = choice.collector.name
        sent, rest = self.plan.feeds[name], self.rests.get(name)
        if rest is None:
            return Feed.new(choice, sent, self.context, self.bounds)
        return rest.feed.again(sent, self.context, self.bounds, frozenset(rest.told))

    def show(self, actions: Iterable[Action], watch: Watch) -> None:
        """Have the items of these actions shown to somebody else too, where a collector has them polled."""
        for action in actions:
            if action in self.plan.actions:
                self._sinks.setdefault(action, []).append((None, watch))

    def item(self, action: Action, message: Message) -> None:
        """Stream one item into every fold that wants it."""
        if self._last is None or self._last[0] is not action:  # a list's items come one after the other
            self._last = (action, self._sinks.get(action, []))
        for feed, sink in self._last[1]:
            try:
                sink(action, message)
            except Exception as error:
                if feed is None:
                    raise
                feed.failed(error)

    def results(self, answers: Mapping[Action, Answer], writer: Writer, now: float) -> list[Result]:
        """Families and success of every collector of the poll."""
        complete = frozenset(action for action, answer in answers.items() if answer.full)
        return [self._result(feed, answers, complete, writer, now) for feed in self.feeds]

    def told(self, feed: Feed, answers: Mapping[Action, Answer], now: float) -> dict[Action, Told]:
        """What a feed was told in full, in this poll or by the lists that rest."""
        fresh = {action: answers[action] for action in feed.sent if action in answers}
        rest = self.rests.get(feed.choice.collector.name)
        return {
            **({} if rest is None else rest.told),
            **{action: Told(answer.seconds, now) for action, answer in fresh.items() if answer.full},
        }

    def named(self, answers: Mapping[Action, Answer]) -> list[tuple[Metric, Key]]:
        """Label values for event metrics that complete lists named."""
        complete = frozenset(action for action, answer in answers.items() if answer.full)
        return [named for feed in self.feeds if not feed.broken for named in feed.rows.named(complete)]

    def _result(
        self,
        feed: Feed,
        answers: Mapping[Action, Answer],
        complete: frozenset[Action],
        writer: Writer,
        now: float,
    ) -> Result:
        name = feed.choice.collector.name
        sent = self.plan.feeds[name]
        missing = self.plan.unavailable.get(name, ())
        rest = self.rests.get(name)
        got = [answers[action] for action in sent if action in answers]
        bad = next((answer for answer in got if not answer.full), None)
        fault, detail = (_FAULT_OF[bad.outcome], bad.message) if bad is not None else (Fault.NONE, "")
        if fault is Fault.NONE and feed.choice.required and missing:
            fault, detail = Fault.NOT_OFFERED, missing[0].name
        families: Sequence[Family] = ()
        resting = rest.told if rest is not None else {}
        if feed.broken:
            fault = Fault.INTERNAL
        else:
            try:
                families = writer.families(feed.samples(complete.union(resting)))
            except Exception:
                log.exception("collector failed at the end of its lists", extra={"collector": name})
                fault = Fault.INTERNAL
        return Result(
            name,
            fault,
            sum(answer.seconds for answer in got) + sum(one.seconds for one in resting.values()),
            families,
            min((one.taken for one in resting.values()), default=now),
            detail,
            sent,
            missing,
            tuple((action, reason) for action in sent if action in answers and (reason := _reason(answers[action]))),
        )


def _reason(answer: Answer) -> str:
    if answer.outcome is Outcome.REFUSED:
        return "permission_denied"
    return "not_supported" if answer.unsupported else ""
