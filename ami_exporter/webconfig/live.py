"""Keeps web.config.file up to date: rereads it when it, or a certificate it names, changes."""

import logging
import os
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ami_exporter.config.faults import ConfigErrors, Fault
from ami_exporter.webconfig.document import WebConfig, load_text, read_web_config
from ami_exporter.webconfig.protection import Claim, claims, locks_lost
from ami_exporter.webconfig.tls_context import TlsError, build_context

log = logging.getLogger(__name__)

# A file must stay unchanged for this long before its removals take effect and its faults are logged.
SETTLE_SECONDS = 2.0
# Until then, compare its content this often: two writes within one tick of the file system's clock look the same.
LOOK_SECONDS = 0.05

Signature = tuple[tuple[int, int, int, int], ...]  # one entry per file; zeros if it does not exist


def check_web_config(path: str) -> list[Fault]:
    """Return every fault of the file and of the certificates it names; empty if the server can use it."""
    try:
        _read(path)
    except ConfigErrors as errors:
        return list(errors.faults)
    return []


@dataclass(frozen=True, slots=True)
class _State:
    """One version of the file, with the TLS context built from its certificates."""

    config: WebConfig
    context: ssl.SSLContext | None
    claims: frozenset[Claim]

    @property
    def files(self) -> tuple[str, ...]:
        return self.config.tls.files if self.config.tls is not None else ()


class LiveWebConfig:
    """Holds the last good state of the file; the constructor raises ConfigErrors if the file has faults.

    Additions, new passwords and new certificates take effect at once. Removals and other changes take effect when the
    file has not changed for SETTLE_SECONDS. Removing users or client certificates must also be explicit in the file;
    otherwise the last good state stays in force until a restart. TLS itself can only be switched on or off by a
    restart. Thread-safe.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._text = load_text(path)
        self._state = _read(path)
        self._began_with_tls = self._state.context is not None
        self._watched = (path, *self._state.files)
        self._signature = _signature(self._watched)
        self._since = self._looked = clock()
        self._settled = False
        self._logged_faults = ""
        self._logged_text = self._text
        for note in self._state.config.notes:
            log.warning("%s: %s", path, note)

    def config(self) -> WebConfig:
        """Return the settings in force. While nothing changes, this costs one stat per file."""
        return self._current().config

    def tls(self) -> Callable[[], ssl.SSLContext] | None:
        """Return a function that returns the context for a new connection, or None for plain HTTP."""
        return self._context if self._began_with_tls else None

    def _context(self) -> ssl.SSLContext:
        context = self._current().context
        assert context is not None  # noqa: S101 - _taken rejects a state without TLS if the server started with TLS
        return context

    def _current(self) -> _State:
        with self._lock:
            now = self._clock()
            signature = _signature(self._watched)
            if signature != self._signature:
                self._signature, self._since, self._settled = signature, now, False
            elif self._settled or now - self._looked < LOOK_SECONDS:
                return self._state
            self._look(now)
            return self._state

    def _look(self, now: float) -> None:
        """Reread the files, and apply the changes that are allowed by now."""
        self._looked = now
        try:
            text = load_text(self._path)
            read: _State | ConfigErrors = _read(self._path, text)
        except ConfigErrors as errors:
            text, read = "", errors
        if text != self._text:
            self._text, self._since = text, now
        self._settled = now - self._since >= SETTLE_SECONDS
        faults = self._taken(read) if isinstance(read, _State) else [str(fault) for fault in read.faults]
        if self._settled:
            self._log_outcome(faults)

    def _taken(self, new: _State) -> list[str]:
        """Apply the new state, unless it removes something that it may not remove (yet); return the objections."""
        self._watch(new)
        if not self._settled and not self._state.claims <= new.claims:
            return []
        lost = locks_lost(self._state.config, new.config)
        if lost:
            return [f"{self._path}: {what}" for what in lost]
        if new.context is not None and not self._began_with_tls:
            config = replace(new.config, tls=None)
            self._state = _State(config, None, claims(config, {}))
            return [f"{self._path}: TLS can be switched on only by a restart; the rest is taken"]
        self._state = new
        return []

    def _watch(self, new: _State) -> None:
        watched = tuple(dict.fromkeys((self._path, *self._state.files, *new.files)))
        if watched != self._watched:
            self._watched = watched
            self._signature = _signature(watched)

    def _log_outcome(self, faults: list[str]) -> None:
        """Log whether the settled file was applied, once per version of the file."""
        for fault in faults:
            if "\n".join(faults) != self._logged_faults:
                log.error("web configuration rejected, the last good one stays in force: %s", fault)
        if not faults and (self._logged_faults or self._text != self._logged_text):
            log.info("%s: web configuration reloaded", self._path)
        self._logged_faults, self._logged_text = "\n".join(faults), self._text


def _read(path: str, text: str | None = None) -> _State:
    config = read_web_config(path, load_text(path) if text is None else text)
    if config.tls is None:
        return _State(config, None, claims(config, {}))
    try:
        built = build_context(config.tls)
    except TlsError as error:
        line, column = config.tls.places.get(error.key, (1, 1))
        raise ConfigErrors([Fault(path, line, column, str(error))]) from None
    return _State(config, built.context, claims(config, built.certificates))


def _signature(paths: tuple[str, ...]) -> Signature:
    return tuple(map(_file_signature, paths))


def _file_signature(path: str) -> tuple[int, int, int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - runs on every request, and a Path costs more than the call
    except OSError:
        return (0, 0, 0, 0)
    return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
