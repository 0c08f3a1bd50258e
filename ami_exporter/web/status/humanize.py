"""Formats times and numbers for people."""

from datetime import UTC, datetime

# (seconds in the unit, its name, seconds and name of the smaller unit shown after it)
_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
_MINUTE = 60
_NO_BREAK = "\u00a0"


def duration(seconds: float | None) -> str:
    """Return "0.4 ms", "12 ms", "3.4 s", "5 min 10 s", "2 h 1 min", "3 d 4 h"; a dash when unknown.

    No line breaks between a number and its unit.
    """
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{_two_digits(max(seconds, 0.0) * 1000)}{_NO_BREAK}ms"
    if seconds < _MINUTE:
        return f"{_two_digits(seconds)}{_NO_BREAK}s"
    whole = int(seconds)
    size, name, small, small_name = next(unit for unit in _UNITS if whole >= unit[0])
    return f"{whole // size}{_NO_BREAK}{name} {whole % size // small}{_NO_BREAK}{small_name}"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004 - two digits are enough for people


def instant(unix: float | None) -> str:
    """Return "2026-11-23 04:05:12 UTC"; "never" when unknown."""
    if unix is None:
        return "never"
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with its thousands separated; a dash when unknown."""
    return "–" if value is None else f"{value:,.{digits}f}".replace(",", "\u202f")  # a narrow no-break space


def counted(count: int, one: str, many: str = "") -> str:
    """Return "1 target", "2 targets"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
