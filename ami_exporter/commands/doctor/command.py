"""The command `doctor`: examine one target, print the report; exit status 1 if something must be fixed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.link import Link
from ami_exporter.ami.message import Message
from ami_exporter.commands.doctor.advice import diagnose, subject
from ami_exporter.commands.doctor.callers import examine_others
from ami_exporter.commands.doctor.console import ask_console
from ami_exporter.commands.doctor.customfields import strange_fields
from ami_exporter.commands.doctor.examine import Examiner
from ami_exporter.commands.doctor.findings import examine_order
from ami_exporter.commands.doctor.report import report
from ami_exporter.commands.doctor.versions import impossible
from ami_exporter.commands.loading import Loader, chosen_target
from ami_exporter.commands.options import Options, Run
from ami_exporter.pbx.connector import make_link
from ami_exporter.pbx.login_backoff import LoginBackoff


def doctor(options: Options, run: Run) -> int:
    """Print the report; 0 if nothing must be fixed. Raises ConfigErrors."""
    loader = Loader(options.config_file, options.ami, run.environ)
    settings = loader.settings()
    target = chosen_target(options.target, settings)
    about = subject(target, loader.collectors(settings, target))

    def connect(classes: Sequence[str]) -> Link:
        return make_link(target, classes)

    try:
        seen = Examiner(connect, target.timeout, time.monotonic).examine(
            [order for order in examine_order(about.chosen) if not order[0].is_command], sorted(about.classes)
        )
    except AmiError as error:
        run.out.write(f"{target.name}: no session with {target.endpoint}: {error}\n")
        return 1
    commands = [alternatives[0] for alternatives in examine_order(about.chosen) if alternatives[0].is_command]
    gate = LoginBackoff(time.monotonic)
    outputs: Mapping[str, Message] = {}
    if commands:
        answers, outputs = ask_console(target, [choice.collector for choice in about.chosen], commands, gate)
        seen.answers.update(answers)
    result = diagnose(about, seen)
    slips = strange_fields(settings.custom, seen.fields, outputs, Era.of(seen.ami))
    result = replace(result, faults=[*result.faults, *slips, *examine_others(target, gate), *impossible(target, seen)])
    run.out.write(report(about, seen, result, eventfilters=options.eventfilter))
    return 1 if result.faults else 0
