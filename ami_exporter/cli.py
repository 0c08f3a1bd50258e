"""The commands. Each is a small function of its options; what is heavy is imported by the command that needs it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TextIO, cast

from ami_exporter.commands import options as opt
from ami_exporter.commands.flags import FAILED, INTERRUPTED, OK
from ami_exporter.commands.logs import Guard, configure
from ami_exporter.commands.streams import Stream
from ami_exporter.config.faults import ConfigErrors

log = logging.getLogger("ami_exporter")


@dataclass(frozen=True, slots=True)
class _Run:
    """What every command may use beside its options."""

    environ: Mapping[str, str]
    out: TextIO
    guard: Guard


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the program; returns its exit status, one of flags.STATUSES."""
    out, err = Stream(sys.stdout), Stream(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        try:
            status = _command(sys.argv[1:] if argv is None else argv, os.environ if environ is None else environ, out)
            out.flush()
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # another one ends what is left of the program
            out.abandon()
            return INTERRUPTED
        if out.fault:
            sys.stderr.write(f"standard output: {out.fault}\n")
        err.flush()
    return FAILED if out.fault and status == OK else status


def _command(argv: Sequence[str], environ: Mapping[str, str], out: Stream) -> int:
    try:
        options = opt.parse(argv, environ)
    except SystemExit as ended:  # --help, --version or wrong usage
        return cast("int", ended.code)
    if isinstance(options, opt.Scrape | opt.Capture | opt.Metrics):
        out.expect_data()
    written = getattr(options, "log", None)
    run = _Run(environ, sys.stdout, Guard())
    configure(written.level if written else "info", written.format if written else "logfmt", sys.stderr, run.guard)
    for warning in options.warnings:
        log.warning(warning)
    try:
        return _COMMANDS[type(options)](options, run)
    except ConfigErrors as errors:
        sys.stderr.write(f"{errors}\n")
        return FAILED


def _serve(options: opt.Serve, run: _Run) -> int:
    from ami_exporter.commands.serve import serve

    return serve(options, run.environ, run.guard)


def _demo(options: opt.Demo, run: _Run) -> int:
    from ami_exporter.commands.serve import demo

    return demo(options, run.environ, run.out)


def _scrape(options: opt.Scrape, run: _Run) -> int:
    from ami_exporter.commands.oneshot import scrape

    return scrape(options, run.environ, run.out)


def _check(options: opt.Check, run: _Run) -> int:
    from ami_exporter.commands.oneshot import check

    return check(options, run.environ, run.out)


def _doctor(options: opt.Doctor, run: _Run) -> int:
    from ami_exporter.commands.doctor.command import doctor

    return doctor(options, run.environ, run.out)


def _capture(options: opt.Capture, run: _Run) -> int:
    from ami_exporter.commands.capture.command import capture

    return capture(options, run.environ, run.out)


def _metrics(options: opt.Metrics, run: _Run) -> int:
    from ami_exporter.commands.metricsdoc import as_json, as_markdown

    run.out.write(as_json() if options.format == "json" else as_markdown())
    return OK


def _healthcheck(options: opt.Healthcheck, run: _Run) -> int:
    from ami_exporter.commands.healthcheck import healthcheck

    return healthcheck(options, run.out)


def _completion(options: opt.Completion, run: _Run) -> int:
    from ami_exporter.commands.completion import completion

    run.out.write(completion(options.shell))
    return OK


_COMMANDS: dict[type, Callable[..., int]] = {
    opt.Serve: _serve,
    opt.Demo: _demo,
    opt.Scrape: _scrape,
    opt.Check: _check,
    opt.Doctor: _doctor,
    opt.Capture: _capture,
    opt.Metrics: _metrics,
    opt.Healthcheck: _healthcheck,
    opt.Completion: _completion,
}
