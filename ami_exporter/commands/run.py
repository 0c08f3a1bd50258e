"""From what was written to the command that does it. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO, cast

from ami_exporter.commands.faultlines import sources_of_files, worded
from ami_exporter.commands.flags import FAILED, OK
from ami_exporter.commands.options import Options, Run, parse
from ami_exporter.commands.streams import StandardStream, standard_streams
from ami_exporter.config.faults import ConfigErrors


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Parse and do one command; returns its exit status."""
    with standard_streams() as out:
        try:
            status = _do(parse(argv, environ), environ, out)
        except SystemExit as ended:  # --help, --version or wrong usage
            status = cast("int", ended.code)
        out.flush()
        if out.fault:
            sys.stderr.write(f"standard output: {out.fault}\n")
    return FAILED if out.fault and status == OK else status


def _do(options: Options, environ: Mapping[str, str], out: StandardStream) -> int:
    from ami_exporter.commands.logs import Guard, configure

    guard = Guard()
    log = configure(options.log_level, options.log_format, sys.stderr, guard)
    for warning in options.warnings:
        log.warning(warning)
    if options.command in ("scrape", "capture", "metrics"):
        out.expect_data()
    try:
        return _command(options.command)(options, Run(environ, cast("TextIO", out), guard))
    except ConfigErrors as errors:
        sys.stderr.writelines(f"{line}\n" for line in worded(errors.faults, sources_of_files(options)))
        return FAILED


def _command(name: str) -> Callable[[Options, Run], int]:
    match name:
        case "serve":
            from ami_exporter.commands.serve import serve as command
        case "demo":
            from ami_exporter.commands.serve import demo as command
        case "scrape":
            from ami_exporter.commands.oneshot import scrape as command
        case "check":
            from ami_exporter.commands.oneshot import check as command
        case "doctor":
            from ami_exporter.commands.doctor.command import doctor as command
        case "capture":
            from ami_exporter.commands.capture.command import capture as command
        case "metrics":
            from ami_exporter.commands.metricsdoc import metrics as command
        case "healthcheck":
            from ami_exporter.commands.healthcheck import healthcheck as command
        case "completion":
            from ami_exporter.commands.completion import completion as command
        case _:
            from ami_exporter.commands.completion import complete as command
    return command
