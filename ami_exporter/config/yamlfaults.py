"""Explains errors of the YAML parser: where the mistake is, and what to write instead. Pure.

Messages never repeat the text: the parser may have stumbled over a part of a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import yaml

Place = tuple[int, int]
"""Line and column, from 1."""
Explanation = tuple[Place, str]

TAB: Final = "found a tab, expected spaces: indent with spaces"
ODD_SPACE: Final = (
    "found a space that YAML does not accept (such as a no-break space from a web page): indent with ordinary spaces"
)
NO_SPACE: Final = "found a line that is not KEY: VALUE, expected a colon and a space after the key"
NO_COLON: Final = "found a name without a colon, expected `NAME:`, and what belongs to it indented below"
IN_QUOTES: Final = (
    "found a value that begins with a character YAML reserves (one of @ % & * ! | > [ { and the backtick), "
    "expected text: put it in quotes"
)
NEVER_CLOSED: Final = "found a quote that is opened here and never closed, expected a second one where the text ends"
CLOSED_LATE: Final = (
    "found a quote that is opened here and closed on line {line}, expected a second one where the text ends; "
    "write a quote within single quotes twice"
)
BEHIND: Final = (
    "found text after a closing quote, expected the whole value in one pair of quotes; "
    "write a quote within single quotes twice"
)
OPEN_BRACKET: Final = "found a bracket that is opened here and never closed, expected its } or ] where it ends"
NO_COMMA: Final = "found no comma between two entries within brackets, expected one, or the } or ] that ends them"
SECTION: Final = (
    "found a section in brackets, as in manager.conf, expected YAML: `targets: {pbx1: {address: pbx1.example.net, "
    "username: exporter, secret_file: FILE}}`"
)
BACKSLASH: Final = "found a backslash in double quotes, which begins a special character there: use single quotes"
SECOND_COLON: Final = (
    "found a colon where no key can be: put a value that holds a colon and a space in quotes, or fix the indentation"
)
DASH: Final = (
    "found a list's dash where no list can be: put text that begins with a dash in quotes, or begin a new line"
)
INDENTATION: Final = "found an indentation other than that of the keys above: keys of one mapping begin in one column"
LOST_COMMENT: Final = (
    "found a space and # in the value: YAML reads the rest as a comment; if it belongs to the value, put all "
    "of it in quotes"
)
SEMICOLON: Final = (
    "found a space and ; in the value: unlike #, it begins no comment in YAML; if it belongs to the value, put all of "
    "it in quotes"
)
CURLY_QUOTES: Final = (
    "found typographic quotes around the value, as in text from a web page: they are part of it; write ' or \" instead"
)
VARIABLE: Final = "found what looks like a variable's name: it is taken as the secret itself; use `secret_env: NAME`"

_QUOTED: Final = re.compile(r""" ?(['"]).*\1""", re.DOTALL)
"""Quotations in a parser's message, which may be a part of a secret."""
_QUOTE_IT: Final = "text with special characters must be put in quotes"
_SIGNS: Final = "@%&*!|>`"
_OPENS: Final = "[{"
_TEXT_KEYS: Final = re.compile(
    r"(secret|secret_file|secret_env|username|address|server_name|ca_file|names_file|name|help|channel)\s*:\s*$"
)
"""Keys whose value is text, so that an opening bracket is a part of it."""
_SECTION: Final = re.compile(r"\[[\w -]+\](\([^)]*\))?\s*(;.*)?")
_COMMENT: Final = re.compile(r"[ \t]+#[^\s]")
"""A # without a space after it, which probably begins no comment."""
_NAME_ALONE: Final = re.compile(r"( *)[\w.-]+")
_CURLY: Final = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb"
"""Typographic quotes of all languages that have them."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """The last text in quotes before the parser stumbled: where it begins and ends."""

    begin: Place
    end: Place


def explain(text: str, error: yaml.MarkedYAMLError, quoted: Quoted | None) -> Explanation:
    """Return the place of the mistake, which is often before the place where the parser stopped, and a message."""
    lines = text.split("\n")
    at = _place(error.problem_mark) or _place(error.context_mark) or (0, 0)
    began = _place(error.context_mark) or at
    problem = error.problem or ""
    found = (
        section(lines) or _indented(lines, at) or _sign(lines, at, began, problem) or _quote(problem, at, began, quoted)
    )
    found = found or _colon(lines, at, began, problem) or _bracket(lines, at, began, problem)
    if found is not None:
        return found
    for begins, message in _PROBLEMS.items():
        if problem.startswith(begins):
            return at, message
    why = ", ".join(_QUOTED.sub("", part) for part in (error.context, error.problem) if part)
    return at, f"not valid YAML: {why}; {_QUOTE_IT}"


_PROBLEMS: Final = {
    "found unknown escape character": BACKSLASH,
    "did not find expected hexdecimal number": BACKSLASH,
    "mapping values are not allowed": SECOND_COLON,
    "block sequence entries are not allowed": DASH,
    "did not find expected key": INDENTATION,
    "did not find expected '-' indicator": INDENTATION,
}


def _place(mark: yaml.Mark | None) -> Place | None:
    return (mark.line + 1, mark.column + 1) if mark else None


def section(lines: list[str]) -> Explanation | None:
    """Find a file in Asterisk's own form: its first line that is no comment is a section."""
    first = next((number for number, line in enumerate(lines, 1) if line.strip() and line.lstrip()[0] not in ";#"), 0)
    return ((first, 1), SECTION) if _SECTION.fullmatch(_line(lines, (first, 1))) else None


def _bracket(lines: list[str], at: Place, began: Place, problem: str) -> Explanation | None:
    """Find a bracket that is never closed, or two entries within brackets without a comma."""
    if "expected ',' or" not in problem:
        return None
    depth = 0
    for sign in "".join((_line(lines, began)[began[1] - 1 :], *lines[began[0] :])):
        depth += (sign in "[{") - (sign in "]}")
        if depth == 0:
            return at, NO_COMMA
    return began, OPEN_BRACKET


def _indented(lines: list[str], at: Place) -> Explanation | None:
    """Find a tab, or a space that YAML does not accept, in the indentation of the line or of the one above."""
    for number in (at[0], _above(lines, at)):
        line = _line(lines, (number, 1))
        found = re.search(r"[^ ]", line[: len(line) - len(line.lstrip())])
        if found:
            return (number, found.start() + 1), TAB if found[0] == "\t" else ODD_SPACE
    return None


def _above(lines: list[str], at: Place) -> int:
    """The number of the last line above that is not blank; 0: none."""
    return next((line for line in range(at[0] - 1, 0, -1) if _line(lines, (line, 1)).strip()), 0)


def _colon(lines: list[str], at: Place, began: Place, problem: str) -> Explanation | None:
    """Find a key that lacks its colon, or the space after it."""
    if problem.startswith("could not find expected ':'"):
        return began, NO_SPACE
    if not problem.startswith("mapping values are not allowed"):
        return None
    above = _above(lines, at)
    name = _NAME_ALONE.fullmatch(_line(lines, (above, 1)).rstrip())
    deeper = re.match(" *", _line(lines, at))
    return ((above, name.end(1) + 1), NO_COLON) if name and deeper and deeper.end() > name.end(1) else None


def _sign(lines: list[str], at: Place, began: Place, problem: str) -> Explanation | None:
    """Find a sign of YAML's own where a value begins: where the parser stumbled, or where what it read began."""
    for place in (began, at):
        sign = _line(lines, place)[place[1] - 1 : place[1]]
        if (sign and sign in _SIGNS) or (sign and sign in _OPENS and _of_text(lines, place)):
            return place, IN_QUOTES
    line = _line(lines, at)[: at[1] - 1]
    opened = re.search(r":\s+[\[{]", line)
    if problem.startswith("did not find expected key") and opened:
        place = (at[0], opened.end())
        return (place, IN_QUOTES) if _of_text(lines, place) else None
    return None


def _of_text(lines: list[str], place: Place) -> bool:
    return _TEXT_KEYS.search(_line(lines, place)[: place[1] - 1]) is not None


def _quote(problem: str, at: Place, began: Place, quoted: Quoted | None) -> Explanation | None:
    if problem.startswith("found unexpected end of stream"):
        return began, NEVER_CLOSED
    if quoted is None or quoted.end[0] != at[0] or quoted.end[1] > at[1]:
        return None
    if quoted.begin[0] != quoted.end[0]:
        return quoted.begin, CLOSED_LATE.format(line=quoted.end[0])
    return (at, BEHIND) if quoted.end == at else None


def _line(lines: list[str], place: Place) -> str:
    return lines[place[0] - 1] if 0 < place[0] <= len(lines) else ""


def probable_mistake(key: str | None, value: str, lines: list[str], end: Place, *, quoted: bool) -> str:
    """Warn of a value that is valid YAML, but probably not what the person meant; empty without a warning."""
    if key not in ("secret", "username"):
        return ""
    if value[:1] in _CURLY and value[-1:] in _CURLY and value:
        return CURLY_QUOTES
    if key == "secret" and re.fullmatch(r"\$(\{\w+\}|[A-Z_]{3,})", value):
        return VARIABLE
    if not quoted and key == "secret" and _COMMENT.match(_line(lines, end)[end[1] - 1 :]):
        return LOST_COMMENT
    return SEMICOLON if not quoted and re.search(r"\s;", value) else ""
