"""`serve` and `demo`: the exporter behind HTTP, until a signal ends it."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from types import FrameType
from typing import TextIO

from ami_exporter import __version__
from ami_exporter.commands.garbage import GarbagePacer
from ami_exporter.commands.loading import Loader
from ami_exporter.commands.logs import Guard
from ami_exporter.commands.options import Demo, Serve
from ami_exporter.config import labelfields
from ami_exporter.config.amiflags import AmiFlags
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import (
    AmiUser,
    CanarySettings,
    CollectorSettings,
    Settings,
    TenantSettings,
    TrunkSettings,
)
from ami_exporter.service.exporter import Exporter
from ami_exporter.web.capacity import raise_descriptor_limit
from ami_exporter.web.flags import WebFlags
from ami_exporter.web.listen import ListenError
from ami_exporter.web.webserver import make_server

log = logging.getLogger(__name__)

#: How soon a web server that died by itself ends the program, so that systemd starts it anew.
ENDED_CHECK_SECONDS = 1.0

#: From the signal to the end, at most.
END_SECONDS = 4.0


def serve(options: Serve, environ: Mapping[str, str], guard: Guard) -> int:
    """Serve metrics until SIGTERM or SIGINT. Raises ConfigErrors before anything is started."""
    loader = Loader(options.config_file, options.ami, environ, shard=options.shard, guard=guard)
    return _run(loader, options.web, environ)


def demo(options: Demo, environ: Mapping[str, str], out: TextIO) -> int:
    """Serve the metrics of a simulated PBX with living traffic."""
    from ami_exporter.demo import run_demo_pbx  # noqa: PLC0415 - `serve` starts quicker without

    pbx = run_demo_pbx(
        channels=options.channels,
        endpoints=options.endpoints,
        queues=options.queues,
        dialect=options.dialect,
        seed=options.seed,
    )
    try:
        flags = AmiFlags(f"{pbx.host}:{pbx.port}", pbx.username, Secret(pbx.secret))
        return _run(DemoLoader(flags, environ, is_old=options.dialect != "modern"), options.web, environ, hint=out)
    finally:
        pbx.stop()


OLD_TRUNKS = tuple(
    TrunkSettings(name, f"{technology}/{name}")
    for technology, name in (("SIP", "telco-a"), ("SIP", "telco-b"), ("IAX2", "4940"))
)


class DemoLoader(Loader):
    """The configuration of the demo: everything that can be shown, canary calls every half minute.

    is_old: of a PBX before Asterisk 12, whose calls cannot be told by an identifier of ours and whose trunks are not
    found by themselves.
    """

    def __init__(self, flags: AmiFlags, environ: Mapping[str, str], *, is_old: bool = False) -> None:
        super().__init__(None, flags, environ)
        self._is_old = is_old

    def settings(self) -> Settings:
        """Add to the one target what a file would say."""
        from ami_exporter.demo.callcentre import ACCOUNTS, DID_NAMES, QUEUE_PLANS  # noqa: PLC0415 - `serve` starts quicker without
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
            collectors={**target.collectors, "taskprocessors": CollectorSettings(enabled=True, min_interval=10.0)},
        )
        return replace(settings, targets={name: shown})


def _run(loader: Loader, web: WebFlags, environ: Mapping[str, str], hint: TextIO | None = None) -> int:
    def load() -> Settings:
        settings = loader.settings()
        for warning in (*map(str, settings.warnings), *labelfields.warnings(settings.custom)):
            log.warning(warning)
        return settings

    raise_descriptor_limit()
    exporter = Exporter(load(), load, loader.collectors)
    try:
        server = make_server(exporter, web, environ=environ)
    except ListenError as error:
        log.error("cannot serve", extra={"error": str(error)})
        return 1
    stop = threading.Event()
    _on_signals(stop, exporter)
    log.info("starting", extra={"version": __version__, "targets": len(exporter.target_names())})
    # HTTP first: a thousand targets that connect at once keep one interpreter busy for seconds.
    bound = server.start()
    exporter.start()
    if hint is not None:
        _greet(hint, bound, web)
    garbage = GarbagePacer(time.monotonic())
    while not stop.wait(ENDED_CHECK_SECONDS) and not server.ended.is_set():
        garbage.tick(time.monotonic())
    ended = not stop.is_set()
    log.log(logging.ERROR if ended else logging.INFO, "the web server ended by itself" if ended else "stopping")
    if ended:
        _end_at_last()
    server.stop()
    exporter.stop()
    return int(ended)


def _end_at_last() -> None:
    """End the program in END_SECONDS, whatever still waits for a PBX: a name, a handshake, an answer."""
    signal.setitimer(signal.ITIMER_REAL, END_SECONDS)


def _on_signals(stop: threading.Event, exporter: Exporter) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        _end_at_last()  # from now on, even when the main thread is still busy with the start
        stop.set()

    def end_at_once(_number: int, _frame: FrameType | None) -> None:
        os._exit(int(not stop.is_set()))

    def reload(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=exporter.reload, name="reload", daemon=True).start()

    signal.signal(signal.SIGALRM, end_at_once)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
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
