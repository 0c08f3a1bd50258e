"""Checks of single values: each function takes a value of the YAML file and returns the checked value.

They raise ValueError with "found …, expected …". The loader adds file and position.
"""

from __future__ import annotations

import ipaddress
import itertools
import math
import re
import warnings
from dataclasses import dataclass
from fnmatch import translate
from typing import Final, Literal, NoReturn

from ami_exporter.config.faults import either, suggest

MAX_SENT: Final = 900
"""Bytes of a value sent to Asterisk, which cuts a line at 1024."""
MAX_NAME: Final = 100
MAX_PATTERN: Final = 1000
MAX_BUCKETS: Final = 100
LONGEST: Final = 7 * 86400.0
"""Seconds; a longer duration is a wrong unit."""

TARGET_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
LABEL_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
METRIC_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
DURATION: Final = r"(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?"
HEADER: Final = r"[A-Za-z0-9_()-]{1,100}"
TECHNOLOGIES: Final = ("PJSIP", "SIP", "IAX2", "DAHDI", "Local", "SCCP", "Skinny", "MGCP", "Motif", "Console")

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")
_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_UNSENDABLE = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Odd:
    """A scalar that YAML 1.1 reads as something other than it looks like."""

    written: str
    why: str


_UNQUOTED: Final = (Odd, bool, int, float, list, dict)
"""Types that YAML makes of text that looks like something else."""


def found(value: object) -> str:  # noqa: PLR0911 - one return a kind
    """Name the kind of a value, never the value itself: it may be a secret in the wrong place.

    Faults appear in the log, in the answer to a reload and on the status page.
    """
    if value is None:
        return "nothing"
    if isinstance(value, Odd):
        return f"a value without quotes ({value.why})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, str):
        return "text" if value else "empty text"
    return "another value"


def wrong(value: object, expected: str) -> NoReturn:
    """Raise the ValueError for a value that is not what was expected."""
    quote = ": put the text in quotes" if "text" in expected and isinstance(value, _UNQUOTED) else ""
    raise ValueError(f"found {found(value)}, expected {expected}{quote}")


def text(value: object) -> str:
    """Check a text that is not empty."""
    if not isinstance(value, str) or not value:
        wrong(value, "text")
    return encodable(value)


def any_text(value: object) -> str:
    """Check a text, which may be empty."""
    return encodable(value) if isinstance(value, str) else wrong(value, "text")


def encodable(value: str) -> str:
    """Refuse characters that UTF-8 does not have (lone surrogates)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("found characters that UTF-8 does not have, expected text") from None
    return value


def sendable(value: object) -> str:
    """Check a text that can be the value of one AMI header line."""
    checked = text(value)
    if _UNSENDABLE.search(checked):
        raise ValueError("found a line break or NUL, expected one line of text: AMI would read a second header")
    if len(checked.encode()) > MAX_SENT:
        raise ValueError(
            f"found {len(checked.encode())} bytes, expected at most {MAX_SENT}: Asterisk cuts longer lines"
        )
    return checked


def secret(value: object) -> str:
    """Check a secret; the message never holds it."""
    try:
        return sendable(value)
    except ValueError as error:
        if isinstance(value, str) and value:
            raise
        quote = ": put the text in quotes" if isinstance(value, _UNQUOTED) else ""
        shown = found(value) if value in (None, "") else "a value that is not text"
        raise ValueError(f"found {shown}, expected text{quote}") from error


def switch(value: object) -> bool:
    """Check a true or false."""
    return value if isinstance(value, bool) else wrong(value, "true or false")


def enabled(value: object) -> Literal["auto"] | bool:
    """Check auto, true or false."""
    if value == "auto":
        return "auto"
    return value if isinstance(value, bool) else wrong(value, "auto, true or false")


def integer(value: object, low: int, high: int) -> int:
    """Check a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        wrong(value, f"a whole number from {low} to {high}")
    return value


def number(value: object) -> float:
    """Check a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        wrong(value, "a number")
    return float(value)


CLASS_NAME: Final = "[a-z][a-z0-9_]{0,39}"
DIALLED: Final = "[+*#0-9]{1,30}"
MOST_DIGITS: Final = 6
"""Most digits in a row of a name for people; telephone numbers have more."""
_RUN: Final = re.compile(r"[0-9][0-9 ()./-]*")


def duration(value: object) -> float:
    """Read a duration such as 9s, 5m, 1h30m or 500ms: seconds, more than 0."""
    matched = re.fullmatch(DURATION, value) if isinstance(value, str) else None
    seconds = sum(_seconds(part) for part in matched.groups() if part) if matched else 0.0
    if matched is None or not 0 < seconds <= LONGEST:
        wrong(value, "a duration of more than 0 such as 9s, 5m or 1h30m")
    return seconds


_WRITTEN: Final = ((86400_000, "d"), (3600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))


def duration_text(seconds: float) -> str:
    """Write a duration as people do: 90.0 is 1m30s."""
    left = round(seconds * 1000)
    text = ""
    for size, unit in _WRITTEN:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _seconds(part: str) -> float:
    digits = part.rstrip("dhms")
    return int(digits[:12]) * _UNITS[part[len(digits) :]]


def address(value: object) -> tuple[str, int | None]:
    """Read `host`, `host:port`, `[IPv6]` or `[IPv6]:port`; the port is None when not written."""
    expected = "an address such as pbx.example.net, pbx.example.net:5038 or [2001:db8::1]:5038"
    if not isinstance(value, str):
        wrong(value, expected)
    matched = re.fullmatch(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::([0-9]{1,5}))?", value)
    if matched is None:
        if _is_ipv6(value):
            raise ValueError("found an IPv6 address without brackets, expected them, as in [2001:db8::1]")
        wrong(value, expected)
    in_brackets, name, port = matched.groups()
    if in_brackets is not None and not _is_ipv6(in_brackets):
        wrong(value, "an IPv6 address inside the brackets")
    if name is not None and not _HOST.fullmatch(name):
        wrong(value, expected)
    if port is not None and not 1 <= int(port) <= 65535:  # noqa: PLR2004 - the range of TCP ports
        wrong(value, "a port from 1 to 65535")
    return in_brackets if name is None else name, None if port is None else int(port)


def _is_ipv6(written: str) -> bool:
    try:
        ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return True


def pattern(value: object) -> re.Pattern[str]:
    """Compile a regular expression."""
    if isinstance(value, list):
        wrong(value, 'a regular expression in quotes, such as "sales|support"')
    checked = text(value)
    if len(checked) > MAX_PATTERN:
        raise ValueError(f"found {len(checked)} characters, expected a regular expression of at most {MAX_PATTERN}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(checked)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        # The error's text may quote the pattern; its position does not.
        place = f" (at character {error.pos + 1})" if isinstance(error, re.error) and error.pos is not None else ""
        raise ValueError(f"found text that is not a regular expression{place}, expected one") from None


def buckets(value: object) -> tuple[float, ...]:
    """Check the upper bounds of a histogram: rising numbers, +Inf left to Prometheus."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_BUCKETS:
        wrong(value, f"a list of 1 to {MAX_BUCKETS} rising numbers")
    bounds = tuple(number(bound) for bound in value)
    for before, after in itertools.pairwise(bounds):
        if after <= before:
            raise ValueError("found a number that is not above the one before, expected rising numbers")
    return bounds


def choice(value: object, valid: tuple[str, ...]) -> str:
    """Check one of a few words."""
    if not isinstance(value, str) or value not in valid:
        near = suggest(value, valid) if isinstance(value, str) else ""
        raise ValueError(f"found {found(value)}, expected {either(valid)}{near}")
    return value


def target_name(value: object) -> str:
    """Check a target's name: it stands in URLs."""
    if not isinstance(value, str) or not re.fullmatch(TARGET_NAME, value):
        expected = f"a name of letters, digits, dots, dashes and underscores, at most {MAX_NAME}"
        wrong(value, f"{expected}, that begins with a letter or digit")
    return value


def label_name(value: object) -> str:
    """Check a label name by Prometheus' rules."""
    if not isinstance(value, str) or not re.fullmatch(LABEL_NAME, value):
        wrong(value, "a label name of letters, digits and underscores that does not begin with a digit")
    if value.startswith("__"):
        wrong(value, "a label name that does not begin with __, which Prometheus reserves")
    return value


def class_name(value: object) -> str:
    """Check the name of a class of destinations."""
    if not isinstance(value, str) or not re.fullmatch(CLASS_NAME, value):
        wrong(value, "a name of lowercase letters, digits and underscores, first a letter, at most 40 characters")
    return value


def dialled(value: object) -> str:
    """Check a number or a prefix, as it is dialled."""
    if not isinstance(value, str) or not re.fullmatch(DIALLED, value):
        wrong(value, 'a number or prefix in quotes, such as "112", "00" or "+", of digits, +, * and #')
    return value


def name_for_people(value: object) -> str:
    """Check a name that replaces a number in a label, so it must not be a number."""
    checked = sendable(value)
    if len(checked) > MAX_NAME or any(len(re.sub("[^0-9]", "", run)) > MOST_DIGITS for run in _RUN.findall(checked)):
        raise ValueError(f"found a number or a long text, expected a name with at most {MOST_DIGITS} digits in a row")
    return checked


def header(value: object) -> str:
    """Check the name of an AMI header; in lower case, as messages have them."""
    if not isinstance(value, str) or not re.fullmatch(HEADER, value):
        wrong(value, "the name of a field, as AMI writes it")
    return value.lower()


def field_name(value: object) -> str:
    """Check the name of a field: a header's, or a title of a console's output; in lower case, as rows have them."""
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_NAME
        or not value.isprintable()
        or value != value.strip()
    ):
        wrong(value, f"the name of a field, at most {MAX_NAME} characters")
    return value.lower()


def trunk_match(value: object) -> str:
    """Check `TECH/endpoint`, where the endpoint may be a glob."""
    expected = 'TECH/endpoint, such as "PJSIP/telco-a" or "PJSIP/telco-*"'
    if not isinstance(value, str):
        wrong(value, expected)
    tech, slash, endpoint = encodable(value).partition("/")
    if not slash or not endpoint or not re.fullmatch("[A-Za-z0-9_]+", tech):
        wrong(value, expected)
    for known in TECHNOLOGIES:
        if tech.lower() == known.lower() and tech != known:
            raise ValueError(f"found a technology in other letters, expected {expected}; did you mean {known}?")
    re.compile(translate(endpoint))
    return value
