"""The rules and alerts of prometheus/rules, read as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.promql import Declared, read, series_of

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "prometheus" / "rules").glob("**/*.yml"))


@dataclass(frozen=True)
class Rule:
    """One alert or recording rule."""

    file: str
    name: str
    fields: dict[str, Any]

    @property
    def expr(self) -> str:
        return str(self.fields["expr"])


def _rules(kind: str) -> list[Rule]:
    return [
        Rule(path.name, rule[kind], rule)
        for path in FILES
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if kind in rule
    ]


ALERTS = _rules("alert")
RECORDED = _rules("record")


def with_recorded(metrics: dict[str, Declared]) -> dict[str, Declared]:
    """All series, and what the recording rules make of them."""
    series = series_of(metrics)
    own = {rule.name: Declared("gauge", read(rule.expr, series)[0]) for rule in RECORDED}
    return series | own
