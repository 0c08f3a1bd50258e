"""`serve` and `demo`: run the exporter's HTTP server until a signal ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TextIO

from ami_exporter import __version__
from ami_exporter.commands.flags import FAILED, INTERRUPTED, OK
from ami_exporter.commands.garbage import GarbagePacer
from ami_exporter.commands.loading import Loader
from ami_exporter.commands.options import Options, Run
from ami_exporter.config import unsafe_labels
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.amiflags import AmiFlags
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import (
    CollectorSettings,
    Settings,
    TrunkSettings,
)
from ami_exporter.config.tenant_settings import TenantSettings
from ami_exporter.service.exporter import Exporter
from ami_exporter.web.capacity import raise_descriptor_limit
from ami_exporter.web.flags import WebFlags
from ami_exporter.web.listen import ListenError
from ami_exporter.web.webserver import make_server

log = logging.getLogger(__name__)

#: How long one thread may compute while others wait. Reading a request or refusing one needs Python's lock a few times;
#: with the usual 5 ms, an overloaded exporter accepts connections too late to refuse them in time.
SWITCH_SECONDS = 0.001

#: How soon the program exits after its web server died, so that systemd restarts it.
ENDED_CHECK_SECONDS = 1.0

#: Maximum time from the signal to the end.
END_SECONDS = 4.0


def serve(options: Options, run: Run) -> int:
    """Serve metrics until SIGTERM (0) or SIGINT (130). Raises ConfigErrors before anything is started."""
    loader = Loader(options.config_file, options.ami, run.environ, shard=options.shard, guard=run.guard)
    return _run(loader, options.web, run.environ)


def demo(options: Options, run: Run) -> int:
    """Serve the metrics of a simulated PBX with live traffic."""
    from ami_exporter.demo import run_demo_pbx  # noqa: PLC0415 - `serve` starts faster

    try:
        pbx = run_demo_pbx(
            channels=options.channels,
            endpoints=options.endpoints,
            queues=options.queues,
            dialect=options.dialect,
            seed=options.seed,
        )
    except OSError as error:
        sys.stderr.write(f"the simulated PBX cannot listen: {error.strerror or error}\n")
        return FAILED
    try:
        flags = AmiFlags(pbx.address, pbx.username, Secret(pbx.secret))
        return _run(
            DemoLoader(flags, run.environ, is_old=options.dialect != "modern"), options.web, run.environ, hint=run.out
        )
    finally:
        pbx.stop()


OLD_TRUNKS = tuple(
    TrunkSettings(name, f"{technology}/{name}")
    for technology, name in (("SIP", "telco-a"), ("SIP", "telco-b"), ("IAX2", "4940"))
)


class DemoLoader(Loader):
    """The configuration of the demo: all features on, canary calls every half minute.

    is_old: a PBX before Asterisk 12, which gives calls no identifier of ours (so no canaries) and whose trunks are not
    found automatically.
    """

    def __init__(self, flags: AmiFlags, environ: Mapping[str, str], *, is_old: bool = False) -> None:
        super().__init__(None, flags, environ)
        self._is_old = is_old

    def settings(self) -> Settings:
        """Add to the only target what a configuration file would say."""
        from ami_exporter.demo.callcentre import ACCOUNTS, DID_NAMES, QUEUE_PLANS  # noqa: PLC0415 - `serve` starts faster
        from ami_exporter.demo.simulated_pbx import CANARY_USER, COMMAND_USER  # noqa: PLC0415 - as above

        settings = super().settings()
        ((name, target),) = settings.targets.items()
        caller = AmiUser(CANARY_USER, target.secret)
        canaries = {
            trunk: CanarySettings(
                f"PJSIP/+49301234560@{trunk}", caller, interval=30.0, audio="rtp", max_calls_per_day=9999
            )
            for trunk in ("telco-a", "telco-b")
        }
        shown = replace(
            target,
            command_user=AmiUser(COMMAND_USER, target.secret),
            canaries={} if self._is_old else canaries,
            trunks=OLD_TRUNKS if self._is_old else target.trunks,
            destinations={"emergency": ("112",), "international": ("00",), "premium": ("0900",)},
            dids={plan.name: DID_NAMES.get(plan.name, plan.name.capitalize()) for plan in QUEUE_PLANS},
            tenants=TenantSettings("AccountCode", {account: account for account in ACCOUNTS}),
            collectors={
                **target.collectors,
                "taskprocessors": CollectorSettings(enabled=True, min_interval=10.0),
                "queue_members": CollectorSettings(enabled=True),
            },
        )
        return replace(settings, targets={name: shown})


def _run(loader: Loader, web: WebFlags, environ: Mapping[str, str], hint: TextIO | None = None) -> int:
    def load() -> Settings:
        settings = loader.settings()
        for warning in (*map(str, settings.warnings), *unsafe_labels.warnings(settings.custom)):
            log.warning(warning)
        return settings

    raise_descriptor_limit()
    sys.setswitchinterval(SWITCH_SECONDS)
    exporter = Exporter(load(), load, loader.collectors)
    try:
        server = make_server(exporter, web, environ=environ)
    except ListenError as error:
        log.error("cannot serve", extra={"error": str(error)})
        return 1
    asked = _Asked()
    _on_signals(asked)
    log.info("starting", extra={"version": __version__, "targets": len(exporter.target_names())})
    # HTTP first: a thousand targets that connect at the same time keep the interpreter busy for seconds.
    bound = server.start()
    exporter.start()
    if hint is not None:
        _greet(hint, bound, web)
    _obey(asked, exporter, server.ended.is_set)
    if asked.end:
        log.info("stopping")
    else:
        log.error("the web server ended unexpectedly")
        _end_at_last()
    server.stop()
    exporter.stop()
    return asked.status


@dataclass(slots=True)
class _Asked:
    """What signals have asked for. status: the program's exit status, FAILED until a signal asks for the end.

    A signal may come while a lock is held, so its handler takes none: it sets these fields and wakes the main thread
    through a SimpleQueue, which is made for that.
    """

    end: bool = False
    reload: bool = False
    status: int = FAILED
    wakes: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, so many seconds at most."""
        with suppress(Empty):
            self.wakes.get(timeout=seconds)


def _obey(asked: _Asked, exporter: Exporter, web_ended: Callable[[], bool]) -> None:
    """Reload when asked to, until a signal asks for the end or the web server has ended."""
    garbage = GarbagePacer(time.monotonic())
    while not asked.end and not web_ended():
        if asked.reload:
            asked.reload = False
            _reload(exporter)
        garbage.tick(time.monotonic())
        asked.wait(ENDED_CHECK_SECONDS)


def _reload(exporter: Exporter) -> None:
    try:
        exporter.reload()
    except Exception:
        log.exception("unexpected error while reloading the configuration; the exporter goes on")


def _end_at_last() -> None:
    """End the program after END_SECONDS, even if a name lookup, a handshake or an answer of a PBX is pending."""
    signal.setitimer(signal.ITIMER_REAL, END_SECONDS)


def _on_signals(asked: _Asked) -> None:
    def stop(number: int, _frame: FrameType | None) -> None:
        _end_at_last()  # starts now, even if the main thread is still busy with the start or a reload
        asked.status = INTERRUPTED if number == signal.SIGINT else OK
        asked.end = True
        asked.wakes.put(None)

    def end_at_once(_number: int, _frame: FrameType | None) -> None:
        os._exit(asked.status)

    def reload(_number: int, _frame: FrameType | None) -> None:
        if not asked.reload:  # one reload is enough for all signals that came before it
            asked.reload = True
            asked.wakes.put(None)

    signal.signal(signal.SIGALRM, end_at_once)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, reload)


def _greet(out: TextIO, bound: list[str], web: WebFlags) -> None:
    port = bound[0].rpartition(":")[2]
    base = f"http://localhost:{port}{web.prefix}"
    out.write(
        "\nA simulated PBX is running, and its metrics are served. Open\n\n"
        f"    {base}{web.telemetry_path}   the metrics\n"
        f"    {base}/          the status page\n\n"
        "Ctrl-C ends it.\n"
    )
    out.flush()
