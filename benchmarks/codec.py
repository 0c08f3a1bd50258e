"""The codec alone: recorded Status bytes through our decoder and through the parsers of the peers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.stream import RECEIVE_BYTES
from benchmarks.measure import median
from benchmarks.pbx import asterisk, fill
from benchmarks.peers import Peer, peer
from benchmarks.report import Table
from benchmarks.subjects import Drain

CHANNELS = 1000
TIMES = 5
ROUNDS = 15
OURS = "ami-exporter"
#: Peers make a string of every header whether it is wanted or not; we do when it is read, so both are measured.
READ: Mapping[str, Sequence[str]] = {
    "no header read": (),
    "ten headers of each read": (
        *("Event", "Channel", "ChannelState", "Application", "Nativeformats"),
        *("Readtrans", "Writetrans", "Linkedid", "Seconds", "Uniqueid"),
    ),
}


def run() -> list[Table]:
    """Record an answer of a real Asterisk, then parse it in turn by each."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "status"
        with asterisk(Path(folder) / "pbx") as server:
            fill(server, CHANNELS)
            drain = Drain(server.ami_port, "Status", "StatusComplete")
            data = drain.record()
            drain.close()
        # What comes before the items is no event, and pyst2 would take it for one.
        file.write_bytes(data[data.index(b"\r\n\r\n") + 4 :])
        return measure(file)


def measure(file: Path) -> list[Table]:
    """Parse a recording, in turn, ROUNDS times each; CPU seconds of the parsing thread."""
    with ExitStack() as stack:
        peers = {name: stack.enter_context(peer(name)) for name in ("panoramisk", "asterisk-ami", "pyst2")}
        return [_table(file, peers, title, headers) for title, headers in READ.items()]


def _table(file: Path, peers: Mapping[str, Peer], title: str, headers: Sequence[str]) -> Table:
    size = file.stat().st_size * TIMES
    taken: dict[str, list[float]] = {}
    messages = 0
    for number in range(ROUNDS + 1):
        seconds, messages = ours(file.read_bytes(), [header.lower() for header in headers])
        results = {OURS: seconds}
        for name, one in peers.items():
            results[name], found = one.parse(file, TIMES, headers)
            if found != messages:
                raise RuntimeError(f"{name} found {found} messages, we {messages}")
        if number:
            for name, seconds in results.items():
                taken.setdefault(name, []).append(seconds)
    best = min(median(values) for name, values in taken.items() if name != OURS)
    table = Table(
        f"{size / TIMES / 1e6:.2f} MB of `Status`, {messages // TIMES} messages, parsed {TIMES} times, {title}; "
        f"medians of {ROUNDS} alternating rounds, CPU time.",
        ("parser", "MB/s", "messages/s", "against the best peer"),
    )
    for name, values in sorted(taken.items(), key=lambda item: median(item[1])):
        seconds = median(values)
        row = (name, f"{size / seconds / 1e6:.1f}", f"{messages / seconds:,.0f}", f"{best / seconds:.2f} ×")
        table.rows.append(row)
    return table


def ours(data: bytes, headers: Sequence[str]) -> tuple[float, int]:
    """CPU seconds and messages; one decoder, as a lasting link has, fed in pieces of the size it receives."""
    messages = 0
    wanted = tuple(headers)
    whole = memoryview(data)
    decoder = Decoder()
    begin = time.process_time()
    for _ in range(TIMES):
        for start in range(0, len(whole), RECEIVE_BYTES):
            for message in decoder.feed(whole[start : start + RECEIVE_BYTES]):
                messages += 1
                if wanted:
                    message.pick(wanted)
    return time.process_time() - begin, messages
