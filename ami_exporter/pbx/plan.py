"""Which actions a poll sends for which collectors, and which are unavailable. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ami_exporter.ami.actions import Action
from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.lists import CORE_SHOW_CHANNELS

PING = Action("Ping")
FULL_STATUS_FROM = (2,)
"""AMI version of Asterisk 12."""

#: Plans remembered: those of a fleet are mostly the same, and a plan is made for each poll.
PLANS = 200


@dataclass(frozen=True, slots=True)
class EnabledCollector:
    """A collector with its settings on one target."""

    collector: Collector
    required: bool = False
    """`enabled: true`: an action that the server does not offer is a fault."""
    min_interval: float = 0.0
    """Seconds for which complete answers are served again."""
    paced: bool = False
    """The configuration sets min_interval, which overrides the default for lists from a database."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions in the order of sending, cheap ones first, and for each collector those that feed it."""

    actions: tuple[Action, ...]
    by_collector: Mapping[str, tuple[Action, ...]]
    unavailable: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)

    @property
    def listed(self) -> tuple[Action, ...]:
        """The actions for the poll link."""
        return tuple(action for action in self.actions if not action.is_command)

    @property
    def commands(self) -> tuple[Action, ...]:
        """The console commands, for the link of the command user."""
        return tuple(action for action in self.actions if action.is_command)

    def without(self, cached: Collection[Action]) -> Plan:
        """The same plan, but these actions are not sent: their answers of an earlier poll are served again."""
        if not cached:
            return self
        return replace(self, actions=tuple(action for action in self.actions if action not in cached))


def preferred(ami: tuple[int, ...]) -> str | None:
    """Return the list to ask for channels where the configuration names none, by the server's AMI version.

    Before Asterisk 12, Status gives neither state number nor application nor age of a channel without dialplan.
    """
    return CORE_SHOW_CHANNELS.name if ami < FULL_STATUS_FROM else None


def make_plan(
    enabled: Sequence[EnabledCollector],
    offered: frozenset[str] | None,
    source: str | None = None,
    *,
    commands: bool = False,
) -> Plan:
    """Choose the first permitted alternative of each poll.

    offered: names of ListCommands in lower case; None if the server has no such action, and then all may be sent.
    source: the action to prefer wherever it is an alternative (channels: {source: …}). commands: whether there is a
    command user.
    """
    return _plan(tuple(enabled), offered, source, commands=commands)


@lru_cache(PLANS)
def _plan(
    enabled: tuple[EnabledCollector, ...], offered: frozenset[str] | None, source: str | None, *, commands: bool
) -> Plan:
    def may(action: Action) -> bool:
        return commands if action.is_command else offered is None or action.name.lower() in offered

    # Equal actions become one object, so that ten thousand look-ups a poll compare identity only.
    same: dict[Action, Action] = {}
    by_collector: dict[str, tuple[Action, ...]] = {}
    unavailable: dict[str, tuple[Action, ...]] = {}
    for one in enabled:
        sent: list[Action] = []
        missing: list[Action] = []
        for alternatives in one.collector.polls:
            order = sorted(alternatives, key=lambda action: action.name != source)
            found = next(filter(may, order), None)
            if found is not None:
                sent.append(same.setdefault(found, found))
            first = order[0]
            if found is not first:
                missing.append(first)
        by_collector[one.collector.name] = tuple(sent)
        unavailable[one.collector.name] = tuple(missing)
    ordered = sorted(same, key=lambda action: (action.spec.cost, action.name, action.params))
    return Plan((PING, *ordered), by_collector, unavailable)
