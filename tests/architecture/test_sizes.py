"""A module fits a few screens, a function half a one; what is silenced says why."""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPO = Path(__file__).parents[2]
CODE = sorted(
    path for folder in ("ami_exporter", "grafana", "prometheus", "benchmarks") for path in (REPO / folder).rglob("*.py")
)
ALL = sorted([*CODE, *(REPO / "tests").rglob("*.py")])
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
SILENCED = re.compile(r"# (?:noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])(?P<reason>.*)$")


def name_of(path: Path) -> str:
    return str(path.relative_to(REPO))


def test_no_module_is_long_without_a_reason_at_its_top() -> None:
    long = {
        name_of(path): len(lines)
        for path in ALL
        if len(lines := path.read_text(encoding="utf-8").splitlines()) > MAX_MODULE_LINES
        and not any("long because" in line.lower() for line in lines[:20])
    }
    assert long == {}


def test_no_function_is_longer_than_half_a_screen() -> None:
    long = {
        f"{name_of(path)}: {node.name}": length
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_what_is_silenced_says_why() -> None:
    silent = [
        f"{name_of(path)}:{number}"
        for path in ALL
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := SILENCED.search(line)) and not found["reason"].strip(" -#")
    ]
    assert silent == []
