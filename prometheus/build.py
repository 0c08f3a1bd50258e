#!/usr/bin/env python3
"""Builds alert and recording rules from prometheus/source with the thresholds of prometheus/parameters.yml.

A source file is a rule file with ${name} where a parameter stands. ${name} is the value as PromQL writes it (5m, 0.8),
${name:seconds} a duration as a number, ${name:words} the value for people (5 minutes, 80 %).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if __name__ == "__main__":  # run as a file: its neighbour is found without a package
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from prometheus.parameters import Parameter, ParameterError, declared, read_values

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "source"
RULES = HERE / "rules"

_PLACE = re.compile(r"\$\{(?P<name>[a-z_]+)(?::(?P<form>[a-z]+))?\}")
_KUBERNETES = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: ami-exporter
spec:
"""


def sources() -> dict[str, str]:
    """Name below prometheus/source → text of the file."""
    return {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.yml")}


def used(text: str) -> set[str]:
    """Names of the parameters a source uses."""
    return {found["name"] for found in _PLACE.finditer(text)}


def filled(name: str, text: str, parameters: Mapping[str, Parameter]) -> str:
    """Text of a source with its parameters' values; name is for the error."""

    def value(found: re.Match[str]) -> str:
        parameter = parameters.get(found["name"])
        if parameter is None:
            raise ParameterError(f"source/{name}: ${{{found['name']}}} is not in parameters.yml")
        return parameter.written(found["form"] or "")

    return _PLACE.sub(value, text)


def header(name: str, text: str, parameters: Mapping[str, Parameter]) -> str:
    """Two or more lines of comment: where the file comes from, and which thresholds are not the usual ones."""
    lines = [f"# Built by prometheus/build from prometheus/source/{name}: change it there.\n"]
    lines += [f"# {key} = {parameters[key].value}\n" for key in sorted(used(text)) if parameters[key].changed]
    return "".join(lines)


def rendered(style: str, name: str, text: str) -> str:
    """One rule file for Prometheus, for mimirtool (a namespace a file), or as a PrometheusRule for Kubernetes."""
    title = f"asterisk-{Path(name).stem.replace('_', '-')}"
    if style == "mimir":
        return f"namespace: {title}\n{text}"
    if style == "kubernetes":
        return _KUBERNETES.format(name=title) + re.sub(r"^(?=.)", "  ", text, flags=re.MULTILINE)
    return text


def build(parameters: Mapping[str, Parameter], style: str = "prometheus") -> dict[str, str]:
    """Name of each rule file → its text."""
    return {
        name: header(name, text, parameters) + rendered(style, name, filled(name, text, parameters))
        for name, text in sorted(sources().items())
    }


def main(arguments: Sequence[str]) -> int:
    """Write the rules, or with --check name those that differ. Answers the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        parameters = read_values(declared(), asked.parameters, asked.set)
        files = build(parameters, asked.format)
    except ParameterError as error:
        sys.stderr.write(f"prometheus/build: {error}\n")
        return 1
    if asked.list:
        for parameter in parameters.values():
            sys.stdout.write(f"{parameter.name} = {parameter.value}\n    {parameter.about}\n")
        return 0
    if asked.check:
        found = {path.relative_to(asked.out).as_posix(): path for path in asked.out.rglob("*.yml")}
        differing = [
            name
            for name in sorted(files.keys() | found.keys())
            if name not in files or name not in found or found[name].read_text(encoding="utf-8") != files[name]
        ]
        for name in differing:
            sys.stderr.write(f"{asked.out / name}: differs from prometheus/source, run: prometheus/build\n")
        return 1 if differing else 0
    for name, text in files.items():
        path = asked.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prometheus/build", description="Build alert and recording rules with your own thresholds."
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one parameter; repeatable")
    parser.add_argument("--parameters", type=Path, metavar="FILE", help="YAML file with lines NAME: VALUE")
    parser.add_argument("--out", type=Path, default=RULES, metavar="FOLDER", help="where to, default prometheus/rules")
    parser.add_argument("--format", choices=("prometheus", "mimir", "kubernetes"), default="prometheus")
    parser.add_argument("--list", action="store_true", help="print all parameters with their values, write nothing")
    parser.add_argument("--check", action="store_true", help="compare with the folder, write nothing; exit code 0 or 1")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
