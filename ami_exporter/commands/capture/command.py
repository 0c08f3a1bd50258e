"""The command `capture`: ask a PBX for every safe list, and write the answers, anonymised, as they arrive.

The transcript is text in AMI's own form: packets of `header: value` lines, separated by blank lines. `capture:` begins
it, `action:` begins an answer, `answer:` ends one and gives its outcome; `torn:` says how many packets form one item.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from ami_exporter import __version__
from ami_exporter.ami.actions import ACTIONS, Action, AnswerForm
from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.link import Link, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.commands.capture.anonymise import anonymous
from ami_exporter.commands.capture.pseudonyms import Pseudonyms
from ami_exporter.commands.capture.torn import torn
from ami_exporter.commands.loading import Loader, chosen_target
from ami_exporter.commands.options import Options, Run
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.connector import make_link

FORMAT = "1"
_NEEDS_A_PARAMETER = frozenset({"MWIGet"})


def capture(options: Options, run: Run) -> int:
    """Write the transcript; 1 when there is no session or a list did not end. Raises ConfigErrors."""
    loader = Loader(options.config_file, options.ami, run.environ)
    found = chosen_target(options.target, loader.settings())
    try:
        return 0 if transcribe(found, run.out) else 1
    except AmiError as error:
        sys.stderr.write(f"{found.name}: no session with {found.endpoint}: {error}\n")
        return 1


def transcribe(settings: TargetSettings, out: TextIO) -> bool:
    """Write all lists the server offers to this user, one after the other; return whether all of them ended."""
    names = Pseudonyms()
    link = _open(settings)
    whole = True
    try:
        actions = [action for action in safe_lists() if link.offers(action.name)]
        _packet(out, [("capture", FORMAT), ("by", f"ami-exporter {__version__}"), ("ami", _dotted(link.version))])
        for action in actions:
            if link.closed:
                link = _open(settings)
            whole &= _list(link, action, names, settings.timeout, out)
    finally:
        link.close()
    return whole


def safe_lists() -> list[Action]:
    """All actions of the table that need no parameter, cheap ones first, without console commands."""
    specs = sorted(ACTIONS.values(), key=lambda spec: spec.cost)
    return [
        Action(spec.name)
        for spec in specs
        if spec.form is not AnswerForm.COMMAND and not spec.required and spec.name not in _NEEDS_A_PARAMETER
    ]


def _list(link: Link, action: Action, names: Pseudonyms, timeout: float, out: TextIO) -> bool:
    def item(_action: Action, message: Message) -> None:
        _packet(out, anonymous(message, names))

    def pieces(found: Sequence[Message], action_id: str) -> None:
        for packet in torn(Era.of(link.version), found, action_id, names):
            _packet(out, packet)

    _packet(out, [("action", action.name)])
    answer = link.exchange((action,), item, time.monotonic() + timeout, on_torn=pieces)[action]
    said = [("message", answer.message)] if answer.message and not answer.full else []
    _packet(out, [("answer", answer.outcome), *said])
    return answer.outcome not in (Outcome.CUT, Outcome.DEADLINE)


def _open(settings: TargetSettings) -> Link:
    link = make_link(settings)
    link.open(time.monotonic() + settings.timeout)
    return link


def _packet(out: TextIO, headers: Iterable[tuple[str, str]]) -> None:
    lines = [f"{header}: {_printable(value)}\n" for header, value in headers]
    if lines:
        out.write("".join([*lines, "\n"]))


def _printable(value: str) -> str:
    """Remove control characters: people read transcripts in terminals."""
    return value if value.isprintable() else "".join(c if c.isprintable() else "?" for c in value)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
