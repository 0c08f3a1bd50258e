"""Which fields real servers send: of each list's items and of each event, by version, as they spell them.

`python -m tests.support.recorded_fields` records them anew from a rich PBX with traffic on Asterisk 22 and 16 (root on
Debian, some minutes); docs/fields.md is made of what it writes.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ami_exporter.ami.actions import ACTIONS, AnswerForm
from tests.support.ami_raw import EventRecorder, Fields
from tests.support.asterisk_root import AsteriskRoot, provide_roots
from tests.support.asterisk_server import AsteriskServer
from tests.support.captures import FOLDER
from tests.support.planted import AMI_SECRETS
from tests.support.rich_pbx import fill, rich_pbx
from tests.support.traffic import KINDS, Traffic, refuse_ami_logins, refuse_registrations

MAJORS = (16, 22)
EVERYWHERE = frozenset(
    ("Event", "Response", "Message", "ActionID", "EventList", "Privilege", "SequenceNumber", "Timestamp", "SystemName")
)
"""Headers of the protocol and of every event, which tell nothing of the thing itself."""
OF_TEST_BUILDS = frozenset({"TestEvent", "File", "Line", "Func"})

Kinds: TypeAlias = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one server sent. lists: action → kind of item ("" for the single answer) → fields; events: name → fields."""

    version: str
    lists: Mapping[str, Kinds]
    events: Kinds


def file_of(major: int) -> Path:
    """Where the fields of a version are kept."""
    return FOLDER / f"asterisk-{major}.fields.json"


def recorded(major: int) -> Recorded:
    """The fields of a version, as they were recorded."""
    return Recorded(**json.loads(file_of(major).read_text(encoding="utf-8")))


def lists_of(server: AsteriskServer) -> Iterator[tuple[str, Kinds]]:
    """Ask for every list that needs no parameter."""
    for spec in ACTIONS.values():
        if spec.form is AnswerForm.COMMAND or spec.required or spec.name == "MWIGet":
            continue
        with server.ami(seconds=3.0) as ami, contextlib.suppress(TimeoutError):  # some that have nothing say no end
            action_id = ami.send(spec.name)
            packets = [ami.read()]
            if spec.form is AnswerForm.EVENT:
                packets = [ami.read()]
            elif spec.form is AnswerForm.LIST and packets[0].get("Response") == "Success":
                packets.clear()
                while (packet := ami.read()).get("Event") != spec.complete:
                    packets.append(packet)
        assert all(packet.get("ActionID") == action_id for packet in packets), spec.name
        if kinds := kinds_of([packet for packet in packets if packet.get("Response") != "Error"]):
            yield spec.name, kinds


def kinds_of(packets: list[Fields]) -> Kinds:
    """Fields of each kind of packet, in the order in which they came first."""
    found: dict[str, dict[str, None]] = {}
    for packet in packets:
        kind = found.setdefault(packet.get("Event", ""), {})
        kind |= dict.fromkeys(name for name in packet if name not in EVERYWHERE | OF_TEST_BUILDS and "(" not in name)
    return {name: list(fields) for name, fields in found.items()}


def events_of(recorder: EventRecorder) -> Kinds:
    """Fields of each event that was recorded."""
    found: Kinds = {}
    for name in sorted(set(recorder.names()) - OF_TEST_BUILDS):
        found |= kinds_of(recorder.events(name))
    return found


def record(root: AsteriskRoot, peer: AsteriskRoot, folder: Path, sipp: Path) -> Recorded:
    """Fill a server, let calls of every kind happen, and note what it sends."""
    with (
        rich_pbx(root, peer, folder, sipp) as pbx,
        EventRecorder(pbx.server.ami_port, "all", AMI_SECRETS["all"]) as recorder,
    ):
        Traffic(pbx).run(sum(kind.weight for kind in KINDS))
        refuse_ami_logins(pbx, 4)
        refuse_registrations(pbx, 4, sipp, folder)
        for command in ("module unload func_sprintf.so", "module load func_sprintf.so", "module reload"):
            pbx.server.cli(command)
        fill(pbx)
        lists = dict(lists_of(pbx.server))
    return Recorded(root.version, lists, events_of(recorder))


def merged(known: Kinds, found: Kinds) -> Kinds:
    """What was found, and what was recorded earlier: some events and fields come only by chance."""
    kinds = {*known, *found}
    return {kind: list(dict.fromkeys([*found.get(kind, []), *known.get(kind, [])])) for kind in sorted(kinds)}


def main() -> None:
    """Write the files anew."""
    sipp = shutil.which("sipp")
    assert sipp is not None, "sipp is not installed"
    roots = provide_roots(MAJORS)
    for major in MAJORS:
        with tempfile.TemporaryDirectory() as folder:
            found = record(roots[major], roots[22], Path(folder), Path(sipp))
        known = recorded(major) if file_of(major).exists() else found
        lists = {name: merged(known.lists.get(name, {}), kinds) for name, kinds in found.lists.items()}
        written = {"version": found.version, "lists": lists, "events": merged(known.events, found.events)}
        file_of(major).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
