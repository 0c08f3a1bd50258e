"""The query string: strictly parsed, bounded, and checked against the names that exist."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ami_exporter.config.faults import suggest
from ami_exporter.web.views import Selection

# 30 collectors chosen by name need about 1 kB.
MAX_QUERY_BYTES = 8 * 1024
MAX_PARAMETERS = 200
# What an error message repeats of the request, and how many valid names it lists.
MAX_QUOTED = 80
MAX_LISTED = 100

COLLECT = "collect[]"
EXCLUDE = "exclude[]"
TARGET = "target"
FILTER = "filter"
MAX_FILTER = 100  # characters; the page's form takes no more

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class BadRequestError(ValueError):
    """A request that is wrong by itself; the message says what was found and what is valid."""


@dataclass(frozen=True, slots=True)
class ScrapeParams:
    """The checked parameters of a scrape; `target` is None where the path takes none."""

    target: str | None
    select: Selection


def scrape_params(query: bytes, *, targets: Sequence[str] | None, collectors: Sequence[str]) -> ScrapeParams:
    """Read the parameters of a scrape, or raise BadRequestError naming what would be valid.

    `targets` None: the path takes no target (the telemetry path).
    """
    values: dict[str, list[str]] = {COLLECT: [], EXCLUDE: []}
    if targets is not None:
        values[TARGET] = []
    for name, value in parse_query(query):
        if name not in values:
            raise _unknown("parameter", name, list(values))
        values[name].append(value)
    if values[COLLECT] and values[EXCLUDE]:
        raise BadRequestError(f"{COLLECT} and {EXCLUDE} exclude each other: give only one of them")
    for value in (*values[COLLECT], *values[EXCLUDE]):
        if value not in collectors:
            raise _unknown("collector", value, collectors)
    target = None if targets is None else _one_target(values[TARGET], targets)
    return ScrapeParams(target, Selection(frozenset(values[COLLECT]), frozenset(values[EXCLUDE])))


def page_parameters(query: bytes, targets: Sequence[str]) -> tuple[str | None, str]:
    """Read the status page's parameters: the target to show alone (None: all), and the words of the filter."""
    values: dict[str, list[str]] = {TARGET: [], FILTER: []}
    for name, value in parse_query(query):
        if name not in values:
            raise _unknown("parameter", name, list(values))
        values[name].append(value)
    wanted = " ".join(values[FILTER])
    if len(wanted) > MAX_FILTER:
        raise BadRequestError(f"the filter is {len(wanted)} characters long, at most {MAX_FILTER} are read")
    return _one_target(values[TARGET], targets) if values[TARGET] else None, wanted


def parse_query(query: bytes) -> list[tuple[str, str]]:
    """Split a query string into decoded (name, value) pairs, or raise BadRequestError."""
    if len(query) > MAX_QUERY_BYTES:
        raise BadRequestError(f"the query is {len(query)} bytes long, at most {MAX_QUERY_BYTES} are read")
    parts = [part for part in query.split(b"&") if part]
    if len(parts) > MAX_PARAMETERS:
        raise BadRequestError(f"the query has {len(parts)} parameters, at most {MAX_PARAMETERS} are read")
    pairs = []
    for part in parts:
        name, _, value = part.partition(b"=")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(raw: bytes) -> str:
    if _BROKEN_ESCAPE.search(raw):
        raise BadRequestError("the query has a % that is not followed by two hexadecimal digits")
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise BadRequestError("the query is not UTF-8 after percent-decoding") from None
    if not text.isprintable():
        raise BadRequestError("the query holds control characters")
    return text


def _one_target(found: list[str], targets: Sequence[str]) -> str:
    if len(found) != 1:
        what = "is missing" if not found else "stands more than once"
        raise BadRequestError(f"parameter {TARGET} {what}; {valid_names('target', targets)}")
    if found[0] not in targets:
        raise _unknown("target", found[0], targets)
    return found[0]


def _unknown(kind: str, found: str, valid: Collection[str]) -> BadRequestError:
    shown = found if len(found) <= MAX_QUOTED else found[:MAX_QUOTED] + "…"
    return BadRequestError(f'unknown {kind} "{shown}"{suggest(shown, valid)}; {valid_names(kind, valid)}')


def valid_names(kind: str, names: Collection[str]) -> str:
    """Return "valid targets: a, b, c" for an error message, cut at MAX_LISTED."""
    if not names:
        return f"no {kind} is configured"
    listed = sorted(names)[:MAX_LISTED]
    rest = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"valid {kind}s: {', '.join(listed)}{rest}"
