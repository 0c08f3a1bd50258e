"""The commands. Each is a small function of its options; what is heavy is imported by the command that needs it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from ami_exporter import options as opt
from ami_exporter.faults import ConfigErrors
from ami_exporter.logs import setup_logging

log = logging.getLogger("ami_exporter")

OK, FAILED = 0, 1


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the program; returns its exit status."""
    environ = os.environ if environ is None else environ
    options = opt.parse(sys.argv[1:] if argv is None else argv, environ)
    written = getattr(options, "log", None)
    setup_logging(sys.stderr, level=written.level if written else "info", form=written.format if written else "logfmt")
    for warning in options.warnings:
        log.warning(warning)
    try:
        return _COMMANDS[type(options)](options, environ, sys.stdout)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


Run = Callable[..., int]


def _serve(options: opt.Serve, environ: Mapping[str, str], _out: TextIO) -> int:
    from ami_exporter.serve import serve  # noqa: PLC0415 - --help stays quick

    return serve(options, environ)


def _demo(options: opt.Demo, environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.serve import demo  # noqa: PLC0415 - as above

    return demo(options, environ, out)


def _scrape(options: opt.Scrape, environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.oneshot import scrape  # noqa: PLC0415 - as above

    return scrape(options, environ, out)


def _check(options: opt.Check, environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.oneshot import check  # noqa: PLC0415 - as above

    return check(options, environ, out)


def _doctor(options: opt.Doctor, environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.doctor import doctor  # noqa: PLC0415 - as above

    return doctor(options, environ, out)


def _capture(options: opt.Capture, environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.capture import capture  # noqa: PLC0415 - as above

    return capture(options, environ, out)


def _metrics(options: opt.Metrics, _environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.metricsdoc import as_json, as_markdown  # noqa: PLC0415 - as above

    out.write(as_json() if options.format == "json" else as_markdown())
    return OK


def _healthcheck(options: opt.Healthcheck, _environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.healthcheck import healthcheck  # noqa: PLC0415 - as above

    return healthcheck(options, out)


def _completion(options: opt.Completion, _environ: Mapping[str, str], out: TextIO) -> int:
    from ami_exporter.completion import completion  # noqa: PLC0415 - as above

    out.write(completion(options.shell))
    return OK


_COMMANDS: dict[type, Run] = {
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
