"""`scrape` and `check`: run once, print the result, exit."""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

from ami_exporter.commands.flags import OK
from ami_exporter.commands.loading import Loader, chosen_target
from ami_exporter.commands.logs import LOGGER
from ami_exporter.commands.options import Options, Run
from ami_exporter.commands.sample import show_sample
from ami_exporter.config import unsafe_labels
from ami_exporter.config.faults import ConfigErrors, Fault, counted
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import render
from ami_exporter.pbx.target import Target

log = logging.getLogger(LOGGER)


def scrape(options: Options, run: Run) -> int:
    """Poll once and print the metrics; return 1 if the PBX is down. Raises ConfigErrors.

    Event counters need time, so there are none.
    """
    loader = Loader(options.config_file, options.ami, run.environ)
    settings = loader.settings()
    found = chosen_target(options.target, settings)
    target = Target(replace(found, events=False), loader.collectors(settings, found))
    try:
        names = frozenset(collector.name for collector in target.collectors)
        families = target.scrape(names, time.monotonic() + found.timeout)
    finally:
        target.join(1.0)
    run.out.write(render(families, Format.TEXT_004).decode())
    run.out.flush()
    if target.last_up:
        return 0
    # After the metrics and the log, where a terminal shows it.
    for handler in log.handlers:
        handler.flush()
    sys.stderr.write(f"{found.name}: no session with {found.endpoint}: {target.connector.detail('poll')}\n")
    return 1


def check(options: Options, run: Run) -> int:
    """Print every fault of the configuration and of the web configuration with its position."""
    from ami_exporter.webconfig.live import check_web_config  # noqa: PLC0415 - only for a web configuration

    faults: list[Fault] = []
    web = options.web.config_file
    if options.config_file is not None or options.ami or web is None:
        try:
            settings = Loader(options.config_file, options.ami, run.environ).settings()
            run.out.writelines(f"{warning.place}: warning: {warning.message}\n" for warning in settings.warnings)
            warnings = unsafe_labels.warnings(settings.custom)
            run.out.writelines(f"{options.config_file}: warning: {warning}\n" for warning in warnings)
            if options.sample is not None:
                return show_sample(settings.custom, Path(options.sample), options.sample_command, run.out)
            run.out.write(f"{options.config_file or 'flags'}: good, {counted(len(settings.targets), 'target')}\n")
        except ConfigErrors as errors:
            faults += errors.faults
    if web is not None:
        wrong = check_web_config(web)
        faults += wrong
        if not wrong:
            run.out.write(f"{web}: good\n")
    if faults:
        raise ConfigErrors(faults)
    return OK
