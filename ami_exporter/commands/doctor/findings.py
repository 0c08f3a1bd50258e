"""Turns the answers of one examination into what each collector has and lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.pbx.lacking import worth_having
from ami_exporter.pbx.plan import EnabledCollector


class Verdict(StrEnum):
    """What a server answered to one action."""

    WORKS = "works"
    DENIED = "permission denied"
    UNSUPPORTED = "not supported"
    FAILED = "failed"


class State(StrEnum):
    """The state of a collector: the second column of the table."""

    WORKS = "works"
    PART = "works in part"
    DENIED = "permission missing"
    UNSUPPORTED = "not supported"
    FAULT = "fault"
    LEFT = "left out"
    EVENTS = "events only"
    OFF = "off"


def verdict(answer: Answer) -> Verdict:
    """Tell "no right" (Permission denied) from "no module" (Invalid/unknown command)."""
    if answer.full:
        return Verdict.WORKS
    if answer.outcome is Outcome.REFUSED:
        return Verdict.DENIED
    return Verdict.UNSUPPORTED if answer.unsupported else Verdict.FAILED


@dataclass(frozen=True, slots=True)
class Finding:
    """One collector. missing: what a right would allow, by class of write=; faults: what failed, and how.

    left: refused actions that no worthwhile class of write= would allow.
    """

    name: str
    state: State
    required: bool = False
    missing: Mapping[str, tuple[str, ...]] | None = None
    unsupported: tuple[str, ...] = ()
    instead: Mapping[str, str] | None = None
    """Missing action → the lesser one that answers in its place."""
    faults: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def examine_order(chosen: Sequence[EnabledCollector]) -> list[tuple[Action, ...]]:
    """The alternatives of every poll, without duplicates, in the order of the collectors."""
    return list(dict.fromkeys(choice for one in chosen for choice in one.collector.polls))


def finding(
    choice: EnabledCollector, answers: Mapping[Action, Answer], held: frozenset[str] = frozenset(), version: str = ""
) -> Finding:
    """Judge one collector by the answers to its actions; ignore alternatives that were not asked for.

    held: classes of write= that the user certainly has.
    """
    polls = choice.collector.polls
    if not polls:
        return Finding(choice.collector.name, State.EVENTS, choice.required)
    missing: dict[str, list[str]] = {}
    instead: dict[str, str] = {}
    unsupported: list[str] = []
    faults: list[str] = []
    left: list[str] = []
    working = 0
    for alternatives in polls:
        works, denied, failed = _firsts(alternatives, answers)
        working += works is not None
        if denied is not None:
            right = worth_having(denied, held, version)
            (missing.setdefault(right, []) if right else left).append(denied.name)
            if works is not None:
                instead[denied.name] = works.name
        elif works is None and failed is not None:
            faults.append(f"{failed.label}: {answers[failed].message or answers[failed].outcome}")
        elif works is None:
            unsupported.append(alternatives[0].label)
    return Finding(
        choice.collector.name,
        _state(working, missing=bool(missing), faults=bool(faults), left=bool(left)),
        choice.required,
        {right: tuple(names) for right, names in missing.items()},
        tuple(unsupported),
        instead,
        tuple(faults),
        tuple(left),
    )


def _firsts(alternatives: Sequence[Action], answers: Mapping[Action, Answer]) -> Iterator[Action | None]:
    """The first alternative that works, the first that is denied, and the first that fails."""
    asked = {action: verdict(answers[action]) for action in alternatives if action in answers}
    for wanted in (Verdict.WORKS, Verdict.DENIED, Verdict.FAILED):
        # An action that needs no right is never denied: a proxy may claim so, but no right would fix that.
        found = (action for action, one in asked.items() if one is wanted)
        yield next((action for action in found if wanted is not Verdict.DENIED or action.spec.rights), None)


def _state(working: int, *, missing: bool, faults: bool, left: bool) -> State:
    if faults:
        return State.FAULT
    if missing:
        return State.PART if working else State.DENIED
    if working:
        return State.WORKS
    return State.LEFT if left else State.UNSUPPORTED
