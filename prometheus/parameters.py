"""What can be chosen in the rules: names, kinds, values, and how a value is written in PromQL and in prose."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

FILE = Path(__file__).resolve().parent / "parameters.yml"

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_UNIT_WORDS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}
_DURATION = re.compile(r"(?P<number>\d+)(?P<unit>ms|[dhms])")


class ParameterError(Exception):
    """A parameter that cannot be used; the message says where, what was found and what was expected."""


def _duration(written: str) -> str:
    """Turn 5m, 300ms or a number of seconds into a duration as PromQL writes it."""
    if re.fullmatch(r"\d+(\.\d+)?", written):
        milliseconds = round(float(written) * 1000)
    elif found := _DURATION.fullmatch(written):
        milliseconds = round(int(found["number"]) * _UNITS[found["unit"]] * 1000)
    else:
        raise ValueError
    if not 0 < milliseconds <= 366 * 86_400_000:
        raise ValueError
    unit = next(unit for unit, seconds in _UNITS.items() if milliseconds % round(seconds * 1000) == 0)
    return f"{milliseconds // round(_UNITS[unit] * 1000)}{unit}"


def _share(written: str) -> str:
    value = float(written[:-1]) / 100 if written.endswith("%") else float(written)
    if not 0 < value < 1:
        raise ValueError
    return f"{value:.6g}"


def _number(written: str) -> str:
    value = float(written)
    if not 0 < value < 1e9:  # noqa: PLR2004 - more than any count of calls or reports; also refuses nan and inf
        raise ValueError
    return f"{value:.9g}"


def _hour(written: str) -> str:
    value = int(written)
    if not 0 <= value < 24:  # noqa: PLR2004 - hours of a day
        raise ValueError
    return str(value)


def _severity(written: str) -> str:
    if written not in ("critical", "warning", "info"):
        raise ValueError
    return written


def _regex(written: str) -> str:
    if not re.fullmatch(r"[\w.|*+?()\[\]:/-]+", written):  # what needs no quoting in PromQL and YAML
        raise ValueError
    try:
        re.compile(written)
    except re.error as error:
        raise ValueError from error
    return written


def _address(written: str) -> str:
    if not re.fullmatch(r"[\w.:/%?=&#-]*", written):
        raise ValueError
    return written


KINDS: Mapping[str, tuple[Callable[[str], str], str]] = {
    "duration": (_duration, "a duration such as 300, 5m, 2h or 300ms (a bare number is seconds)"),
    "share": (_share, "a share between 0 and 1, such as 0.8 or 80%"),
    "number": (_number, "a number over 0"),
    "hour": (_hour, "an hour of the day in UTC, 0 to 23"),
    "severity": (_severity, "critical, warning or info"),
    "regex": (_regex, "a regular expression such as asterisk|pbx-.+"),
    "address": (_address, "a path or an address, such as https://wiki.example.net/asterisk/"),
}
"""Kind → how a value is read, and what is expected."""


@dataclass(frozen=True)
class Parameter:
    """One choice. value is as PromQL writes it."""

    name: str
    kind: str
    value: str
    about: str
    changed: bool = False

    def given(self, written: str, where: str) -> Parameter:
        """Return this parameter with another value; where (a file and line, or a flag) is for the error."""
        read, expected = KINDS[self.kind]
        try:
            value = read(written.strip())
        except ValueError:
            raise ParameterError(f"{where}: {self.name} is {written!r}, expected {expected}") from None
        return replace(self, value=value, changed=value != self.value)

    def written(self, form: str) -> str:
        """Write the value: as in PromQL, as a number of seconds, or in words."""
        if form == "":
            return self.value
        found = _DURATION.fullmatch(self.value)
        if form == "seconds" and found:
            return f"{int(found['number']) * _UNITS[found['unit']]:g}"
        if form == "words" and found:
            number = int(found["number"])
            return f"{number} {_UNIT_WORDS[found['unit']]}{'' if number == 1 else 's'}"
        if form == "words" and self.kind == "share":
            return f"{float(self.value) * 100:g} %"
        if form == "words":
            return self.value
        raise ParameterError(f"source: ${{{self.name}:{form}}} cannot be, {self.name} is a {self.kind}")


def declared() -> dict[str, Parameter]:
    """Every parameter with its usual value, from parameters.yml."""
    found: dict[str, Parameter] = {}
    for name, fields in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        kind, about = fields["kind"], " ".join(fields["about"].split())
        value = KINDS[kind][0](str(fields["value"]))
        found[name] = Parameter(name, kind, value, about)
    return found


def read_values(known: Mapping[str, Parameter], file: Path | None, sets: Sequence[str]) -> dict[str, Parameter]:
    """Return the parameters with the values of a file and of --set, which wins."""
    values = dict(known)
    for name, written, where in [*(_in_file(file) if file else ()), *map(_in_flag, sets)]:
        if name not in values:
            near = difflib.get_close_matches(name, values, 1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise ParameterError(f"{where}: no parameter {name}{hint} (prometheus/build --list names all)")
        values[name] = values[name].given(written, where)
    return values


def _in_flag(flag: str) -> tuple[str, str, str]:
    name, equals, written = flag.partition("=")
    if not equals:
        raise ParameterError(f"--set {flag}: expected NAME=VALUE, such as queue_wait_critical=300")
    return name.strip(), written, f"--set {flag}"


def _in_file(file: Path) -> list[tuple[str, str, str]]:
    """Name, value and place of each line. Nodes and not values, for they know their lines and keep what was written."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise ParameterError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{file}: not YAML: {error}") from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise ParameterError(f"{file}: expected lines NAME: VALUE")
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for key, value in node.value:
        where = f"{file}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise ParameterError(f"{where}: expected NAME: VALUE, one value for a name")
        if key.value in seen:
            raise ParameterError(f"{where}: {key.value} stands here a second time")
        seen.add(key.value)
        found.append((key.value, value.value, where))
    return found
