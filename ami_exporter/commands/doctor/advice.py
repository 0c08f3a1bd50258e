"""Turns findings into advice: rights worth adding, superfluous rights, faults to fix. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ami_exporter.ami.action_versions import Version, classes_sent
from ami_exporter.ami.actions import ACTIONS
from ami_exporter.ami.event_classes import EVENT_NAMES, classes_of
from ami_exporter.ami.rights import BASE, RISKS, TIER, held_classes, least_dangerous
from ami_exporter.collectors.declarations import Collector
from ami_exporter.commands.doctor.examine import Examination, Listened
from ami_exporter.commands.doctor.findings import Finding, examine_order, finding
from ami_exporter.commands.doctor.versions import is_newer_collector, version_of
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.lacking import proved
from ami_exporter.pbx.plan import EnabledCollector
from ami_exporter.pbx.target import choose, event_classes, events_of


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of an examination: a target's settings, its enabled collectors, and those that are off."""

    settings: TargetSettings
    chosen: Sequence[EnabledCollector]
    off: Sequence[Collector]

    @property
    def classes(self) -> frozenset[str]:
        """Classes of read= that the enabled event rules need."""
        return event_classes(self.settings, [choice.collector for choice in self.chosen])

    @property
    def events(self) -> list[str]:
        """Names of the events that the enabled rules want, spelled as in Asterisk: eventfilter is case-sensitive."""
        active = [choice.collector for choice in self.chosen if not choice.collector.passive]
        return sorted({EVENT_NAMES.get(name.lower(), name) for c in active for name in events_of(c)})


def subject(settings: TargetSettings, collectors: Sequence[Collector]) -> Subject:
    """Split the collectors into those enabled on a target and the others."""
    chosen = choose(settings, collectors)
    enabled = {choice.collector.name for choice in chosen}
    return Subject(settings, chosen, [collector for collector in collectors if collector.name not in enabled])


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The contents of the report.

    brings: class of write= → actions it would allow. surplus: classes the user has although no gauge justifies them →
    the actions that need them. reads: class of read= → whether the user has it, None if this cannot be seen from
    outside. faults: what must be fixed.
    """

    findings: Sequence[Finding]
    held: frozenset[str]
    brings: Mapping[str, Sequence[str]]
    tier_useful: bool
    surplus: Mapping[str, Sequence[str]]
    reads: Mapping[str, bool | None]
    unsupported: Sequence[str]
    faults: Sequence[str] = field(default_factory=list)


def diagnose(about: Subject, found: Examination) -> Diagnosis:
    """Judge one examination."""
    held = _held(found)
    findings = [finding(choice, found.answers, held | _proved(found), found.version) for choice in about.chosen]
    brings: dict[str, list[str]] = {}
    for one in findings:
        for right, actions in (one.missing or {}).items():
            known = brings.setdefault(right, [])
            known.extend(action for action in actions if action not in known)
    tier = TIER in brings or (TIER in held and bool(_users(TIER, about.chosen, found)))
    worth = {BASE, TIER} if tier else {BASE}
    reads = read_classes(classes_sent(about.classes, version_of(found)), found.listened)
    return Diagnosis(
        findings,
        held,
        brings,
        tier,
        {name: _users(name, about.chosen, found) for name in RISKS if name in held and name not in worth},
        reads,
        list(dict.fromkeys(action for one in findings for action in one.unsupported)),
        list(_faults(findings, brings, reads, found.listened)),
    )


def _held(found: Examination) -> frozenset[str]:
    """The classes of write= the user certainly has; if ListCommands is refused, only those that an answer proves."""
    return held_classes(found.commands) if "listcommands" in found.commands else _proved(found)


def _proved(found: Examination) -> frozenset[str]:
    """The classes without which the server would not have offered or answered an action."""
    offered = proved(found.commands) if "listcommands" in found.commands else frozenset[str]()
    needed = [action.spec.rights for action, answer in found.answers.items() if answer.full]
    return offered.union(*(rights for rights in needed if len(rights) == 1))


def read_classes(wanted: frozenset[str], listened: Listened | None) -> dict[str, bool | None]:
    """Whether the user's read= contains each wanted class, and system for FullyBooted, as far as this can be seen."""
    seen = Listened() if listened is None else listened
    known = dict.fromkeys(seen.seen, True) | {"system": seen.system}
    if listened is not None and not listened.fault and "security" in wanted:
        known["security"] = seen.security
    if listened is None:
        known = {}
    return {name: known.get(name) for name in sorted(wanted | {"system"})}


def _users(right: str, chosen: Sequence[EnabledCollector], found: Examination) -> list[str]:
    """The answered actions that need this right."""
    asked = [action for alternatives in examine_order(chosen) for action in alternatives if action in found.answers]
    return [a.name for a in asked if least_dangerous(a.spec.rights) == right and found.answers[a].full]


def _faults(
    findings: Iterable[Finding],
    brings: Mapping[str, Sequence[str]],
    reads: Mapping[str, bool | None],
    listened: Listened | None,
) -> Iterable[str]:
    if brings.get(BASE):
        yield f"write={BASE} is missing: without it there is no {', '.join(brings[BASE])}"
    if listened is not None and listened.fault:
        yield f"the event link cannot be opened beside the poll link: {listened.fault}"
    yield from (_READ_FAULTS[name] for name, there in reads.items() if there is False and name in _READ_FAULTS)
    for one in findings:
        yield from (f"{one.name}: {text}" for text in one.faults)
        if one.required and (one.missing or one.unsupported):
            lost = [*(action for actions in (one.missing or {}).values() for action in actions), *one.unsupported]
            yield f"{one.name} is required (enabled: true), but this user cannot have {', '.join(lost)}"
        if one.required and one.left:
            yield from (_required_in_spite(one.name, action) for action in one.left)


def _required_in_spite(name: str, action: str) -> str:
    right = least_dangerous(ACTIONS[action].rights)
    risk = RISKS[right].replace("can ", "can then ", 1)
    lost = f"{name} is required (enabled: true), but this user cannot have {action}"
    return f"{lost}: that needs write={right}, and whoever has the secret {risk}"


_READ_FAULTS = {
    "system": "read=system is missing: no FullyBooted came with the login, so the start time is unknown and "
    "registration, contact and alarm events are not seen (a server that is still starting looks the same)",
    "security": "read=security is missing: our own login was not announced (an eventfilter that drops SuccessfulAuth "
    "looks the same)",
}


def smallest_read(about: Subject, version: Version) -> str:
    """The read= value that the enabled collectors need: system for FullyBooted, and their event rules' classes."""
    wanted = classes_sent(about.classes, version) | {"system"}
    return ",".join(name for name in _READ_ORDER if name in wanted)


_READ_ORDER = ("system", "call", "agent", "reporting", "security", "user", "cdr", "dialplan")


def event_need(collector: Collector, version: Version = ()) -> str:
    """The classes that one collector's event rules need, as a read= value; empty if it counts no events."""
    if collector.passive or is_newer_collector(collector.name, version):
        return ""
    needed = classes_sent(classes_of(events_of(collector)), version)
    return ",".join(name for name in _READ_ORDER if name in needed)
