"""Finds what is wrong with a target that is up: for the page's headline, its rows and its to-do list. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from ami_exporter.web.status.humanize import counted
from ami_exporter.web.views import CanaryView, CollectorState, CollectorView, LinkState, TargetView

MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble. note: a few words for a row; todo: pairs of subject and what to do about it."""

    note: str
    todo: tuple[tuple[str, str], ...]


def troubles(target: TargetView) -> list[Trouble]:
    """Everything that is wrong; nothing for a target that is down or was never scraped."""
    if not target.up:
        return []
    found = (_collectors(target), _links(target), _write(target), _read(target), _canaries(target), _series(target))
    return [trouble for kind in found for trouble in kind]


def _collectors(target: TargetView) -> Iterator[Trouble]:
    faulty = [collector for collector in target.collectors if collector.state is CollectorState.FAULT]
    if faulty:
        yield Trouble(f"{counted(len(faulty), 'collector')} with a fault", tuple((c.name, _reason(c)) for c in faulty))


def _reason(collector: CollectorView) -> str:
    known = "; ".join(part for part in (collector.reason, collector.advice) if part)
    return known or "no reason is known, see the exporter's log"


def _links(target: TargetView) -> Iterator[Trouble]:
    for link in target.links:
        if link.state is LinkState.DOWN:
            name = f"{link.name.replace('_', ' ')} link"
            yield Trouble(f"{name} down", ((name, link.detail or "no reason is known, see the exporter's log"),))


def _write(target: TargetView) -> Iterator[Trouble]:
    if target.missing_rights:
        why = f"the AMI user lacks it: no {target.missing_rights}; run `ami-exporter doctor`"
        yield Trouble("write=reporting missing", (("write=reporting", why),))


def _read(target: TargetView) -> Iterator[Trouble]:
    if target.missing_classes:
        right = f"read={','.join(target.missing_classes)}"
        why = "no such event came where one was due: the AMI user lacks it, or an `eventfilter` holds them back"
        yield Trouble(f"{right} missing", ((right, f"{why}; run `ami-exporter doctor`"),))


def _canaries(target: TargetView) -> Iterator[Trouble]:
    failing = [one for one in target.canaries if one.result not in {"", "success"}]
    if failing:
        note = f"{counted(len(failing), 'canary', 'canaries')} failing"
        yield Trouble(note, tuple((f"canary {one.name}", _ended(one)) for one in failing))


def _ended(one: CanaryView) -> str:
    result = one.result.replace("_", " ")
    why = f" ({one.why})" if one.why else ""
    return f"its last call did not succeed: {result}{why}; check this trunk; docs/canary.md explains the result"


def _series(target: TargetView) -> Iterator[Trouble]:
    if target.dropping:
        names = ", ".join(target.dropping[:MOST_NAMES]) + (", …" if len(target.dropping) > MOST_NAMES else "")
        why = f"more label sets than `limits.series_per_metric` of {names}: raise it, or use `include` and `exclude`"
        yield Trouble("series dropped", (("limits", why),))
