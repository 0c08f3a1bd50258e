"""web.config.file as it is now: read again when it, or a certificate it names, changes."""

import logging
import os
import ssl

from ami_exporter.config.faults import ConfigErrors, Fault
from ami_exporter.web.tls_config import LiveContext, TlsError, build_context
from ami_exporter.web.webconfig import TlsSettings, WebConfig, load_text, read_web_config

log = logging.getLogger(__name__)

Signature = tuple[tuple[int, int, int], ...]  # (mtime in ns, size, inode) of each file; zeros where there is none


def check_web_config(path: str) -> list[Fault]:
    """Return every fault of the file, its certificates loaded as the server would; empty when it can be served."""
    try:
        _load(path)
    except ConfigErrors as errors:
        return list(errors.faults)
    return []


class LiveWebConfig:
    """Holds the last good state of the file; ConfigErrors from the constructor when it has a fault at the start.

    exporter-toolkit fails every request while the file is broken. Here the last good state stays in force and the
    fault is logged once: a slip of the pen neither stops the monitoring nor opens a door. Whether TLS is spoken is
    settled at the start. Used from one thread, the event loop's.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._signature = _signature(path, None)
        self._config, self._context = _load(path)
        self._signature = _signature(path, self._config.tls)
        self._began_with_tls = self._context is not None
        for note in self._config.notes:
            log.warning("%s: %s", path, note)

    def config(self) -> WebConfig:
        """Return the settings of now; a stat of each file, no more, while nothing changes."""
        signature = _signature(self._path, self._config.tls)
        if signature != self._signature:
            self._reload(signature)
        return self._config

    def context(self) -> LiveContext | None:
        """Return the context for the server to hold, or None for plain HTTP."""
        return LiveContext(self._current_context) if self._context is not None else None

    def _current_context(self) -> ssl.SSLContext:
        self.config()
        assert self._context is not None  # noqa: S101 - `context` hands this method out only then
        return self._context

    def _reload(self, signature: Signature) -> None:
        self._signature = signature
        try:
            config, context = _load(self._path)
        except ConfigErrors as errors:
            faults = errors.faults
        else:
            faults = ()
            self._take(config, context)
        for fault in faults:
            log.error("web configuration not taken, the last good one stays: %s", fault)

    def _take(self, config: WebConfig, context: ssl.SSLContext | None) -> None:
        if (context is not None) != self._began_with_tls:
            log.error("%s: TLS can be switched on or off only by a restart; the rest is taken", self._path)
        elif context is not None:
            self._context = context
        self._config = config
        self._signature = _signature(self._path, config.tls)
        log.info("%s: web configuration loaded again", self._path)


def _load(path: str) -> tuple[WebConfig, ssl.SSLContext | None]:
    config = read_web_config(path, load_text(path))
    if config.tls is None:
        return config, None
    try:
        return config, build_context(config.tls)
    except TlsError as error:
        line, column = config.tls.places.get(error.key, (1, 1))
        raise ConfigErrors([Fault(path, line, column, str(error))]) from None


def _signature(path: str, tls: TlsSettings | None) -> Signature:
    return tuple(_file_signature(name) for name in (path, *(tls.files if tls is not None else ())))


def _file_signature(path: str) -> tuple[int, int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - on every request: a Path costs more than the call
    except OSError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
