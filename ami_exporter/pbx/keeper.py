"""What is served again instead of being asked for again.

An answer that took t ≥ 0.5 s is served again for 20 × t seconds, so that watching never takes more than a twentieth of
a PBX's time; lists that the PBX reads from a database are served again for a minute. Such an answer rests by itself:
the other lists of its collectors are asked as ever. A collector with a min_interval rests as a whole. Only complete
answers are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass

from ami_exporter.ami.actions import Action
from ami_exporter.pbx.poll import Feed, Rest, Result, Told

SLOW_SECONDS = 0.5
REST_FACTOR = 20.0


@dataclass(frozen=True, slots=True)
class _Kept:
    result: Result
    until: float


@dataclass(frozen=True, slots=True)
class _Resting:
    """A collector's last feed, and until when its lists need not be asked again."""

    feed: Feed
    told: Mapping[Action, Told]
    until: Mapping[Action, float]


class Keeper:
    """Kept results and resting answers of one target, by collector. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._resting: dict[str, _Resting] = {}

    def serves(self, names: frozenset[str]) -> dict[str, Result]:
        """The kept results of these names that are to be served again now."""
        now = self._clock()
        kept = {name: self._kept.get(name) for name in names}
        return {name: one.result for name, one in kept.items() if one is not None and now < one.until}

    def keep(self, result: Result, min_interval: float) -> None:
        """Keep a fresh result as long as its collector must rest; a failed one forgets what was kept before."""
        if result.success and min_interval > 0:
            self._kept[result.name] = _Kept(result, self._clock() + min_interval)
        else:
            self._kept.pop(result.name, None)

    def rests(self, feeds: Mapping[str, tuple[Action, ...]]) -> dict[str, Rest]:
        """By collector, what it need not ask for of the actions that would feed it.

        An action rests only when all collectors that it feeds know its answer; a fold that cannot join old lists with
        new ones has all of its lists asked as soon as one is.
        """
        now = self._clock()
        asked: set[Action] = set()
        while more := {action for name in feeds for action in self._asks(name, feeds[name], asked, now)} - asked:
            asked |= more
        rests = {}
        for name, actions in feeds.items():
            resting = self._resting.get(name)
            if resting is not None and not asked.issuperset(actions):
                told = {action: resting.told[action] for action in actions if action not in asked}
                rests[name] = Rest(resting.feed, told)
        return rests

    def _asks(self, name: str, actions: Collection[Action], asked: Container[Action], now: float) -> Collection[Action]:
        """Return the actions that a collector needs to have asked; asked: those that others have asked anyway."""
        resting = self._resting.get(name)
        if resting is None:
            return actions
        needed = [action for action in actions if action in asked or now >= resting.until.get(action, now)]
        return actions if needed and not resting.feed.resumable else needed

    def rest(self, feed: Feed, told: Mapping[Action, Told], at_least: Callable[[Action], float]) -> None:
        """Let the answers rest that a feed was told in full, each as long as it must. at_least: seconds by action."""
        name = feed.choice.collector.name
        until = {action: one.taken + max(at_least(action), _pause(one)) for action, one in told.items()}
        now = self._clock()
        if not feed.broken and any(now < end for end in until.values()):
            self._resting[name] = _Resting(feed, told, until)
        else:
            self._resting.pop(name, None)

    def forget(self) -> None:
        """Drop everything: the PBX is down, was restarted, its trunks are others, or the target was reloaded."""
        self._kept.clear()
        self._resting.clear()


def _pause(answer: Told) -> float:
    return REST_FACTOR * answer.seconds if answer.seconds >= SLOW_SECONDS else 0.0
