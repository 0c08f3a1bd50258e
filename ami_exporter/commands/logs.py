"""Logs: one line a record on stderr, logfmt or JSON, with fields from `extra=`.

Whatever the values hold (they may come from a PBX), a record stays one line and secrets stay secret.
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
"""Characters: replacing shorter secrets would garble ordinary words, and tell what the secret is."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_BARE: Final = re.compile(r"[A-Za-z0-9_./:@%+-]+")
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9_]")


class Guard:
    """Knows the secrets in use and takes them out of a line, should one ever get into it."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()

    def know(self, secrets: Iterable[Secret]) -> None:
        """Replace what is known, as after a reload; the longest first, one may hold another."""
        forms = {form for secret in secrets for form in _forms(secret.reveal())}
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def clean(self, line: str) -> str:
        """Mask every known secret in the line."""
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
    """One JSON object a line, ASCII only."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        return self._guard.clean(json.dumps(fields(record), default=str, skipkeys=True))


def fields(record: logging.LogRecord) -> dict[str, object]:
    """List a record's fields in the order they are written: ts (UTC), level, msg, then those of `extra=`."""
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found: dict[str, object] = {"ts": when, "level": record.levelname.lower(), "msg": record.getMessage()}
    for key, value in vars(record).items():
        if key not in _STANDARD and value is not None:
            found[_NO_KEY.sub("_", key)] = value if isinstance(value, bool | int | float) else str(value)
    if record.exc_info and record.exc_info[0] is not None:
        found["trace"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
    return found


def quote(value: object) -> str:
    """Write a logfmt value: bare where that is unmistakable, else in quotes with everything unprintable escaped."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _BARE.fullmatch(text):
        return text
    written = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in written)


def configure(level: str, fmt: str, stream: TextIO | None, guard: Guard) -> logging.Logger:
    """Send the program's log to a stream; level: debug, info, warning, error; fmt: logfmt or json.

    A stream with a descriptor is written by a thread of its own, so that no log line waits for its reader. None: stderr
    was closed before the program began, so there is no log.
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
    """List how a secret may stand in a line: as it is, and as quoting writes it."""
    if len(secret) < SHORTEST_GUARDED:
        return set()
    return {secret, json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1]}
