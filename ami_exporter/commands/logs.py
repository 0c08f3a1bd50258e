"""Logs: one line per record on stderr, logfmt or JSON, with fields from `extra=`.

Whatever the values contain (they may come from a PBX), a record stays on one line and secrets stay secret.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

from ami_exporter.commands.logwriter import QueueingHandler
from ami_exporter.config.secret import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ami_exporter.config.secret import Secret

LOGGER: Final = "ami_exporter"
SHORTEST_GUARDED: Final = 4
"""Characters: masking shorter secrets would garble ordinary words and so reveal the secret."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_BARE: Final = re.compile(r"[A-Za-z0-9_./:@%+-]+")
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9_]")


class Guard:
    """Knows the secrets in use and masks any that get into a log line."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()

    def know(self, secrets: Iterable[Secret]) -> None:
        """Replace the known secrets, as after a reload; the longest first, as one may contain another."""
        forms = {form for secret in secrets for form in _forms(secret.reveal())}
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def clean(self, line: str) -> str:
        for form in self._forms:
            line = line.replace(form, MASK)
        return line


class LogfmtFormatter(logging.Formatter):
    """`ts=… level=info msg="…" target=pbx1 …`."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        return self._guard.clean(" ".join(f"{key}={quote(value)}" for key, value in fields(record).items()))


class JsonFormatter(logging.Formatter):
    """One JSON object per line, ASCII only."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        return self._guard.clean(json.dumps(fields(record), default=str, skipkeys=True))


def fields(record: logging.LogRecord) -> dict[str, object]:
    """Return a record's fields in output order: ts (UTC), level, msg, then those of `extra=`."""
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found: dict[str, object] = {"ts": when, "level": record.levelname.lower(), "msg": record.getMessage()}
    for key, value in vars(record).items():
        if key not in _STANDARD and value is not None:
            found[_NO_KEY.sub("_", key)] = value if isinstance(value, bool | int | float) else str(value)
    if record.exc_info and record.exc_info[0] is not None:
        found["trace"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
    return found


def quote(value: object) -> str:
    """Format a logfmt value: bare if that is unambiguous, else in quotes with unprintable characters escaped."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _BARE.fullmatch(text):
        return text
    written = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in written)


def configure(level: str, fmt: str, stream: TextIO | None, guard: Guard) -> logging.Logger:
    """Send the program's log to a stream; level: debug, info, warning, error; fmt: logfmt or json.

    A separate thread writes to a stream with a descriptor, so that logging never waits for its reader. None: stderr was
    closed before the program began, so there is no log.
    """
    handler = _handler(stream)
    handler.setFormatter(JsonFormatter(guard) if fmt == "json" else LogfmtFormatter(guard))
    logger = logging.getLogger(LOGGER)
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    return logger


def _handler(stream: TextIO | None) -> logging.Handler:
    if stream is None:
        return logging.NullHandler()
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return logging.StreamHandler(stream)
    return QueueingHandler(descriptor, _dropped)


def _dropped(count: int) -> logging.LogRecord:
    record = logging.LogRecord(LOGGER, logging.WARNING, __file__, 0, "log lines were lost: nobody read them", (), None)
    record.lines = count
    return record


def _forms(secret: str) -> set[str]:
    """The forms a secret can take in a line: as it is, and quoted."""
    if len(secret) < SHORTEST_GUARDED:
        return set()
    return {secret, json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1]}
