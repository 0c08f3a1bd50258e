"""What it costs to look at each item of a list for a stranger's text: the same answer folded with and without."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.exchange import Exchange
from ami_exporter.ami.message import Message
from ami_exporter.ami.stream import RECEIVE_BYTES
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.lists import STATUS
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.plan import make_plan
from ami_exporter.pbx.poll_run import PollRun
from ami_exporter.pbx.target import choose
from benchmarks.measure import median
from benchmarks.pbx import asterisk, fill
from benchmarks.report import Table, milliseconds
from benchmarks.subjects import Drain

#: Of a real Asterisk 22, whose answer is folded TIMES times as one.
CHANNELS, TIMES = 1000, 10
ROUNDS = 30
ACTION_ID = "benchmark-1"
CONTEXT = Context(technologies=("Local", "PJSIP"))


class Trusting(Exchange):
    """Takes whatever has an ActionID of ours and an item's name for an item, as if all text were harmless."""

    def take(self, messages: Iterable[Message]) -> None:
        """Hand each message on."""
        in_flight, on_item = self._waiting, self._on_item
        for message in messages:
            layout, cells = message.layout, message.cells
            waiting = in_flight.get(cells[layout.action_id])
            if waiting is None or cells[layout.event] not in waiting.listed:
                self._take_other(message)
                continue
            waiting.count += 1
            on_item(waiting.action, message)


def run() -> list[Table]:
    """Record an answer of a real Asterisk, then fold it in turn with both."""
    with tempfile.TemporaryDirectory() as folder, asterisk(Path(folder) / "pbx") as server:
        fill(server, CHANNELS)
        drain = Drain(server.ami_port, "Status", "StatusComplete")
        data = drain.record()
        drain.close()
    return [measure(data)]


def measure(data: bytes) -> Table:
    """Fold an answer to `Status` in turn, CPU seconds of this thread."""
    items = items_of(data)
    taken: dict[type[Exchange], list[float]] = {Exchange: [], Trusting: []}
    for number in range(ROUNDS + 1):
        for kind, seconds in taken.items():
            one = folded(kind, items)
            if number:
                seconds.append(one)
    with_look, without = (median(seconds) for seconds in taken.values())
    pairs = [a / b - 1 for a, b in zip(*taken.values(), strict=True)]
    table = Table(
        f"An answer of {CHANNELS * TIMES:,} channels decoded and folded by the default set, {ROUNDS} times in turn; "
        "CPU of one thread, medians.",
        ("each item is looked at, ms", "none is, ms", "cost, median of pairs"),
    )
    table.rows.append((milliseconds(with_look), milliseconds(without), f"{median(pairs):.1%}"))
    return table


def items_of(data: bytes) -> bytes:
    """The items of a recorded answer, with an ActionID where Asterisk writes it: as the last header of `Status`."""
    items = data[data.index(b"Event: Status\r\n") : data.index(b"Event: StatusComplete")]
    return items.replace(b"\r\n\r\n", f"\r\nActionID: {ACTION_ID}\r\n\r\n".encode())


def folded(kind: Callable[..., Exchange], items: bytes) -> float:
    """Fold the items TIMES times as one answer; CPU seconds."""
    chosen = choose(TargetSettings("pbx", "pbx", "exporter", Secret("x")), builtin())
    folds = PollRun(make_plan(chosen, frozenset({"status", "ping"})), chosen, CONTEXT)
    exchange = kind({ACTION_ID: STATUS}, folds.item, lambda _: None, lambda: 0.0, lists_announced=True)
    decoder = Decoder()
    end = f"Event: StatusComplete\r\nActionID: {ACTION_ID}\r\nEventList: Complete\r\n\r\n".encode()
    whole = memoryview(items * TIMES + end)
    begin = time.thread_time()
    for position in range(0, len(whole), RECEIVE_BYTES):
        exchange.take(decoder.feed(whole[position : position + RECEIVE_BYTES]))
    seconds = time.thread_time() - begin
    if exchange.answers[STATUS].items != CHANNELS * TIMES:
        raise RuntimeError(f"{exchange.answers[STATUS].items} items of {CHANNELS * TIMES}")
    return seconds
