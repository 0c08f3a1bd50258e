"""Scenarios: what happens to PBXs over time, and which pages must and must not come of it.

A scenario becomes a unit test of promtool. What Alertmanager mutes is reckoned in PromQL from its configuration, and
recorded as `told` (tests/prometheus/test_storms.py asks a real Alertmanager).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.support.promql import Declared
from tests.support.rules import ROOT
from tests.support.timeline import Clock, Series, Values, promtool, seconds, values

FOLDER = ROOT / "tests" / "prometheus" / "scenarios"
ALERTMANAGER = ROOT / "prometheus" / "alertmanager.yml"
RULES = [path for path in sorted((ROOT / "prometheus" / "rules").glob("*.yml")) if path.stem != "boards"]
OPTIONAL = ROOT / "prometheus" / "rules" / "optional"
FIRING = 'alertstate="firing"'
CHECKS = 10
"""Times between `by` and `through` at which an alert must be there."""
Check = dict[str, Any]
_KEY = re.compile(r"(?P<name>[a-z_:*]+)(?:\{(?P<labels>.*)\})?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Key:
    """A series of one PBX, without job and instance."""

    name: str
    labels: tuple[tuple[str, str], ...]

    @staticmethod
    def read(written: str) -> Key:
        found = _KEY.fullmatch(written)
        if found is None:
            raise ValueError(f"{written!r} is no series")
        return Key(found["name"], tuple(sorted(_LABEL.findall(found["labels"] or ""))))

    def covers(self, other: Key) -> bool:
        """Whether this one, with * in its name or fewer labels, names the other."""
        return fnmatchcase(other.name, self.name) and set(self.labels) <= set(other.labels)


@dataclass(frozen=True)
class Expected:
    """An alert that must be told from `start` to `by`, until `through`."""

    alert: str
    severity: str
    labels: Mapping[str, str]
    start: int
    by: int
    through: int | None
    gone: int | None

    @staticmethod
    def read(fields: Mapping[str, Any], severity: str) -> Expected:
        own = {"alert", "from", "by", "through", "gone"}
        labels = {name: str(value) for name, value in fields.items() if name not in own}
        through, gone = fields.get("through"), fields.get("gone")
        return Expected(
            fields["alert"],
            severity,
            labels,
            seconds(fields["from"]),
            seconds(fields["by"]),
            None if through is None else seconds(through),
            None if gone is None else seconds(gone),
        )


@dataclass(frozen=True)
class Scenario:
    """One scenario. given: key → timeline, for the first `struck` of the PBXs.

    stagger: seconds until the last of them is struck; spread: of so many PBXs, the slowest counts so much more slowly.
    """

    name: str
    clock: Clock
    pbxs: int
    struck: int
    stagger: int
    spread: int
    only: tuple[str, ...]
    optional: tuple[str, ...]
    given: Mapping[str, str]
    also: Mapping[str, str]
    expected: tuple[Expected, ...]
    may: tuple[str, ...] = ()
    healthy: Mapping[str, str] = field(default_factory=dict)

    def series(self, declared: Mapping[str, Declared]) -> Iterator[tuple[str, dict[str, str], Values]]:
        """Name, labels and samples of everything that is scraped."""
        usual = {
            key: values(timeline, self._series(declared, key))
            for key, timeline in ((Key.read(written), timeline) for written, timeline in self.healthy.items())
            if not self.only or any(fnmatchcase(key.name, pattern) for pattern in self.only)
        }
        known: dict[tuple[str, Key, int, int], Values] = {}
        for number in range(self.pbxs):
            target = {"job": "asterisk", "instance": f"pbx{number + 1}"}
            for key, samples in self._of_one(number, usual, declared, known).items():
                yield key.name, {**target, **dict(key.labels)}, samples
        for written, timeline in self.also.items():
            key = Key.read(written)
            yield key.name, dict(key.labels), values(timeline, self._series(declared, key))

    def _of_one(
        self,
        number: int,
        usual: Mapping[Key, Values],
        declared: Mapping[str, Declared],
        known: dict[tuple[str, Key, int, int], Values],
    ) -> dict[Key, Values]:
        """Series of one PBX. known: what was reckoned for others, most are struck in the same way."""
        found = dict(usual)
        if number >= self.struck:
            return found
        late = self.stagger * number // max(1, self.struck) // self.clock.step * self.clock.step
        slower = 1 + number % self.spread
        for written, timeline in self.given.items():
            pattern = Key.read(written)
            for key in self._meant(pattern, usual, declared):
                case = (written, key, late, slower)
                if case not in known:
                    known[case] = values(timeline, self._series(declared, key, usual.get(key), slower), late)
                found[key] = known[case]
        return found

    def _meant(self, pattern: Key, usual: Mapping[Key, Values], declared: Mapping[str, Declared]) -> list[Key]:
        """Series of a healthy PBX that a key names; else one that it has not, with all its labels."""
        if any(pattern.covers(Key.read(written)) for written in self.healthy):
            return [key for key in usual if pattern.covers(key)]
        metric = declared.get(pattern.name)
        if metric is None or dict(pattern.labels).keys() != metric.labels - {"job", "instance"}:
            raise ValueError(f"{self.name}: {pattern} is no series of a healthy PBX, nor one that the exporter has")
        return [pattern]

    def _series(
        self, declared: Mapping[str, Declared], key: Key, healthy: Values | None = None, slower: int = 1
    ) -> Series:
        counts = declared.get(key.name, Declared("gauge")).type == "counter"
        return Series(key.name, counts, self.clock, healthy, slower)


def read(name: str) -> list[Scenario]:
    """All scenarios of a file in the folder."""
    healthy = yaml.safe_load((FOLDER / "healthy.yml").read_text(encoding="utf-8"))
    found = []
    for one in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")):
        pbxs = one.get("pbxs", 2)
        expected = [Expected.read(page, "critical") for page in one.get("pages", [])]
        expected += [Expected.read(tell, "warning|info") for tell in one.get("tells", [])]
        found.append(
            Scenario(
                one["name"],
                Clock(seconds(one["lasts"]), seconds(one.get("step", "30s"))),
                pbxs,
                one.get("struck", 1),
                seconds(one.get("stagger", "0")),
                one.get("spread", 1),
                tuple(one.get("only", ())),
                tuple(one.get("optional", ())),
                {key: str(timeline) for key, timeline in one.get("given", {}).items()},
                {key: str(timeline) for key, timeline in one.get("also", {}).items()},
                tuple(expected),
                tuple(one.get("may", ())),
                {key: str(timeline) for key, timeline in healthy.items()},
            )
        )
    return found


def keys_of(name: str) -> list[str]:
    """Every series a file names, as written."""
    found = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    if isinstance(found, dict):
        return list(found)
    return [key for one in found for part in ("given", "also") for key in one.get(part, {})]


def told(config: Mapping[str, Any]) -> str:
    """PromQL of what an Alertmanager with this configuration tells somebody: firing, not info, not inhibited."""
    parts = [f'ALERTS{{{FIRING}, severity=~"critical|warning"}}']
    for rule in config["inhibit_rules"]:
        target = ", ".join([FIRING, *rule["target_matchers"]])
        source = ", ".join([FIRING, *rule["source_matchers"]])
        equal = ", ".join(rule["equal"])
        parts.append(f"unless (ALERTS{{{target}}} and on ({equal}) ALERTS{{{source}}})")
    return "\n".join(parts)


def promtool_test(scenario: Scenario, declared: Mapping[str, Declared], checks: list[Check], folder: Path) -> Path:
    """Write a file for promtool test rules (JSON is YAML) and what it needs into a folder. Answers its path."""
    config = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))
    told_rule = {"groups": [{"name": "told", "rules": [{"record": "told", "expr": told(config)}]}]}
    (folder / "told.yml").write_text(json.dumps(told_rule), encoding="utf-8")
    step = f"{scenario.clock.step}s"
    series = [
        {"series": name + _braces(labels), "values": promtool(samples)}
        for name, labels, samples in scenario.series(declared)
    ]
    test = {"name": scenario.name, "interval": step, "input_series": series, "promql_expr_test": checks}
    rules = [*RULES, *(OPTIONAL / name for name in scenario.optional), folder / "told.yml"]
    document = {
        "rule_files": [str(path) for path in rules],
        "evaluation_interval": step,
        "group_eval_order": _groups(rules),
        "tests": [test],
    }
    path = folder / "scenario.yml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _groups(rules: list[Path]) -> list[str]:
    """Names of all groups, those that record for others first: promtool takes them in any order unless told."""
    ordered = sorted(rules, key=lambda path: path.stem != "recording")
    return [group["name"] for path in ordered for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]


def _braces(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def checks(scenario: Scenario) -> list[Check]:
    """What must hold: each expected alert in its time, and no other at any time."""
    found = [check for one in scenario.expected for check in _expected(one, scenario.clock.step)]
    names = "|".join([*(one.alert for one in scenario.expected), *scenario.may])
    others = f'count by (alertname) (max_over_time(told{{alertname!~"{names}"}}[{scenario.clock.lasts}s]))'
    return [*found, _check(others, scenario.clock.lasts, there=False)]


def _expected(one: Expected, step: int) -> Iterator[Check]:
    chosen = _braces({"alertname": one.alert, **one.labels})[:-1]
    # Info is told to nobody, and a warning may be muted by what happens later: those must only fire.
    shown = f'told{chosen}, severity="critical"}}' if one.severity == "critical" else f"ALERTS{chosen}, {FIRING}}}"
    if one.start >= step:
        yield _check(f"count(max_over_time({shown}[{one.start}s]))", one.start - step, there=False)
    # Alerts are asked for when rules are evaluated: a sample of five minutes ago is seen no more.
    by = -(-one.by // step) * step
    through = by if one.through is None else one.through // step * step
    times = {by + (through - by) * part // CHECKS // step * step for part in range(CHECKS)} | {by, through}
    yield from (_check(f"count({shown}) > bool 0", at, there=True) for at in sorted(times))
    if one.gone is not None:
        yield _check(f"count({shown})", one.gone, there=False)


def _check(expr: str, at: int, *, there: bool) -> Check:
    samples = [{"labels": "{}", "value": 1}] if there else []
    return {"expr": expr, "eval_time": f"{at}s", "exp_samples": samples}
