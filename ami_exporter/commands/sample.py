"""`check --sample FILE`: what the rules of console commands make of an output that was saved, without a PBX."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, TextIO

from ami_exporter.ami.actions import cli
from ami_exporter.ami.message import Message
from ami_exporter.collectors import custom
from ami_exporter.collectors.cli.output import Fields, lines
from ami_exporter.collectors.cli.readers import Reader
from ami_exporter.collectors.declarations import Context, Unreadable
from ami_exporter.collectors.rulefold import RuleFold
from ami_exporter.config.custom_settings import CommandSettings, CustomMetricsSettings
from ami_exporter.config.faults import ConfigErrors, Fault, counted, either
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import render
from ami_exporter.exposition.writer import Writer

MAX_SHOWN: Final = 20
"""Rows printed of each rule."""
MAX_BYTES: Final = 2 * 1024 * 1024
"""A sample; an output is refused from half of that on."""


def show_sample(entries: Sequence[CustomMetricsSettings], file: Path, command: str | None, out: TextIO) -> int:
    """Print rows and metrics of each rule; 0 when one of them made a row. Raises ConfigErrors for a file or command.

    command: only the rules of this one.
    """
    known = [(entry, entry.command) for entry in entries if entry.command is not None]
    chosen = [(entry, how) for entry, how in known if command in (None, how.command)]
    if not chosen:
        names = sorted({how.command for _, how in known})
        wrong = f"found no rule for this command, expected {either(names) if names else 'custom: command: rules'}"
        raise ConfigErrors([Fault("--sample.command" if command else "--sample", 0, 0, wrong)])
    message = Message.of([("output", line) for line in _text(file).splitlines()])
    made = [_show(entry, how, message, out) for entry, how in chosen]
    return 0 if any(made) else 1


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES).decode("utf-8", "backslashreplace")
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise ConfigErrors([Fault(f"--sample {file}", 0, 0, f"cannot be read: {why}")]) from None


def _show(entry: CustomMetricsSettings, how: CommandSettings, message: Message, out: TextIO) -> bool:
    out.write(f"{how.command}\n")
    try:
        rows = Reader.of(how, time.process_time).rows(lines(message))
    except Unreadable as error:
        out.write(f"  fails: {error}\n\n")
        return False
    out.writelines(_described(rows))
    out.write("\n")
    if rows:
        out.write(_metrics(entry, how, message) or "  no metric: where, value or labels leave every row out\n")
    out.write("\n")
    return bool(rows)


def _described(rows: Sequence[Fields]) -> Iterable[str]:
    none = "no row: `empty` says so, or the reader fits no line of this output"
    yield f"  {counted(len(rows), 'row') if rows else none}\n"
    for number, row in enumerate(rows[:MAX_SHOWN], 1):
        yield f"  {number}: " + ", ".join(f"{name}={value!r}" for name, value in row.items()) + "\n"
    if len(rows) > MAX_SHOWN:
        yield f"  and {len(rows) - MAX_SHOWN} more\n"


def _metrics(entry: CustomMetricsSettings, how: CommandSettings, message: Message) -> str:
    collector = custom.collector([entry], time.process_time)
    action = cli(how.command)
    fold = RuleFold(collector, frozenset({action}), Context())
    fold.item(action, message)
    caps = Caps(1000, lambda _metric, _key: None, lambda _metric, _key: True)
    return render(Writer(caps).families(fold.finish(frozenset({action}))), Format.TEXT_004).decode()
