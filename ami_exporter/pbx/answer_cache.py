"""Answers that are served again instead of being requested again.

An answer that took t ≥ 0.5 s is served again for 20 × t seconds, so that watching never takes more than a twentieth of
a PBX's time. Lists that the PBX reads from a database are served again for a minute, and those of a collector with a
min_interval for that long. Other lists of the same collector are requested as usual. Only complete answers are kept.
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
    """A collector's last run, and when each of its lists is due again."""

    run: CollectorRun
    answered: Mapping[Action, TimedAnswer]
    until: Mapping[Action, float]


class AnswerCache:
    """The kept answers of one target, by collector. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._runs: dict[str, _CachedRun] = {}

    def cached(self, wanted: Mapping[str, tuple[Action, ...]]) -> dict[str, CachedAnswers]:
        """Return each collector's kept answers to the actions it wants. wanted: collector → its actions.

        An action is skipped only when every collector that wants it has its answer. A fold that cannot join old lists
        with new ones has all of its lists requested as soon as one of them is.
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
        """Return the actions that must be sent for a collector. asked: those that are sent for others anyway."""
        known = self._runs.get(name)
        if known is None:
            return actions
        needed = [action for action in actions if action in asked or now >= known.until.get(action, now)]
        return actions if needed and not known.run.resumable else needed

    def keep(
        self, run: CollectorRun, answered: Mapping[Action, TimedAnswer], at_least: Callable[[Action], float]
    ) -> None:
        """Keep a run's complete answers, each for `at_least` seconds, longer if it was slow."""
        name = run.enabled.collector.name
        until = {action: one.taken + max(at_least(action), _pause(one)) for action, one in answered.items()}
        now = self._clock()
        if not run.broken and any(now < end for end in until.values()):
            self._runs[name] = _CachedRun(run, answered, until)
        else:
            self._runs.pop(name, None)

    def forget(self) -> None:
        """Drop everything: the PBX is down or was restarted, its trunks changed, or the target was reloaded."""
        self._runs.clear()


def _pause(answer: TimedAnswer) -> float:
    return REST_FACTOR * answer.seconds if answer.seconds >= SLOW_SECONDS else 0.0
