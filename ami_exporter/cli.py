"""The commands. Each is a small function of its options; what is heavy is imported by the command that needs it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from ami_exporter.commands import options as opt
from ami_exporter.commands.logs import Guard, configure
from ami_exporter.config.faults import ConfigErrors

log = logging.getLogger("ami_exporter")

OK, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class _Run:
    """What every command may use beside its options."""

    environ: Mapping[str, str]
    out: TextIO
    guard: Guard


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the program; returns its exit status."""
    environ = os.environ if environ is None else environ
    options = opt.parse(sys.argv[1:] if argv is None else argv, environ)
    written = getattr(options, "log", None)
    run = _Run(environ, sys.stdout, Guard())
    configure(written.level if written else "info", written.format if written else "logfmt", sys.stderr, run.guard)
    for warning in options.warnings:
        log.warning(warning)
    try:
        return _COMMANDS[type(options)](options, run)
    except ConfigErrors as errors:
        if sys.stderr is not None:  # closed before the program began
            sys.stderr.write(f"{errors}\n")
        return FAILED
    except KeyboardInterrupt:
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
