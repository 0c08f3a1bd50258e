"""What is served again instead of being asked for again.

An answer that took t ≥ 0.5 s is served again for 20 × t seconds, so that watching never takes more than a twentieth of
a PBX's time. Lists that the PBX reads from a database are served again for a minute, and those of a collector with a
min_interval for that long. The other lists of the same collector are asked as usual. Only complete answers are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass

from ami_exporter.ami.actions import Action
from ami_exporter.pbx.poll_run import CachedAnswers, CollectorRun, TimedAnswer

SLOW_SECONDS = 0.5
REST_FACTOR = 20.0


@dataclass(frozen=True, slots=True)
class _CachedRun:
    """A collector's last run, and until when its lists need not be asked again."""

    run: CollectorRun
    answered: Mapping[Action, TimedAnswer]
    until: Mapping[Action, float]


class AnswerCache:
    """The answers of one target that are served again, by collector. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._runs: dict[str, _CachedRun] = {}

    def cached(self, wanted: Mapping[str, tuple[Action, ...]]) -> dict[str, CachedAnswers]:
        """By collector, the answers it has of the actions that would run it. wanted: collector → its actions.

        An action is left out only when all collectors that want it have its answer. A fold that cannot join old lists
        with new ones has all of its lists asked as soon as one of them is.
        """
        if not self._runs:
            return {}
        now = self._clock()
        asked: set[Action] = set()
        while more := {action for name in wanted for action in self._asks(name, wanted[name], asked, now)} - asked:
            asked |= more
        cached = {}
        for name, actions in wanted.items():
            known = self._runs.get(name)
            if known is not None and not asked.issuperset(actions):
                answered = {action: known.answered[action] for action in actions if action not in asked}
                cached[name] = CachedAnswers(known.run, answered)
        return cached

    def _asks(self, name: str, actions: Collection[Action], asked: Container[Action], now: float) -> Collection[Action]:
        """Return the actions that a collector needs to have asked; asked: those that others have asked anyway."""
        known = self._runs.get(name)
        if known is None:
            return actions
        needed = [action for action in actions if action in asked or now >= known.until.get(action, now)]
        return actions if needed and not known.run.resumable else needed

    def keep(
        self, run: CollectorRun, answered: Mapping[Action, TimedAnswer], at_least: Callable[[Action], float]
    ) -> None:
        """Keep a run's complete answers, each for `at_least` seconds or longer if it was slow."""
        name = run.enabled.collector.name
        until = {action: one.taken + max(at_least(action), _pause(one)) for action, one in answered.items()}
        now = self._clock()
        if not run.broken and any(now < end for end in until.values()):
            self._runs[name] = _CachedRun(run, answered, until)
        else:
            self._runs.pop(name, None)

    def forget(self) -> None:
        """Drop everything: the PBX is down, was restarted, its trunks are others, or the target was reloaded."""
        self._runs.clear()


def _pause(answer: TimedAnswer) -> float:
    return REST_FACTOR * answer.seconds if answer.seconds >= SLOW_SECONDS else 0.0
