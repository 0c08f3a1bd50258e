"""The event side of one target, fed with what Asterisk 1.8, 11 and 13 sent: decoder, sieve, translator, counters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

from ami_exporter.ami.actions import Action
from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.event_sieve import EventSieve
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.old.translator import translator
from ami_exporter.collectors.registry import builtin
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import Samples, counted, show, store_of
from tests.support.old_servers import AMI, answered, context, events, lists, scenarios, wants

GONE = re.compile(rb"Event: (?:QueueCallerAbandon|Leave|QueueCallerLeave)\r\n")
WAIT = re.compile(r"wait (?:about )?(\d+) s")


class Replay:
    """The event side of one target, on a clock that the test moves."""

    def __init__(self, version: str) -> None:
        self.now = 1000.0
        self.doubtful = 0
        self.received: Counter[str] = Counter()
        self.counters: EventCounters = store_of(*builtin(), context=context(version))
        for name in ("QueueStatus", "Parkinglots", "ParkedCalls"):
            if name in lists(version, "lists/quiet"):
                show(self.counters, Action(name), answered(version, name, "lists/quiet").items)
        self._decoder = Decoder()
        self._sieve = EventSieve(lambda: self.now)
        self._sieve.era = Era.of(AMI[version])
        self._translator = translator(AMI[version])

    def feed(self, data: bytes) -> None:
        """Take bytes as the event link does."""
        found: list[Message] = []
        for message in self._decoder.feed(data):
            found.extend(self._sieve.take(message))
        found.extend(self._sieve.pause())
        self.doubtful += self._sieve.take_doubtful()
        self.received.update(event["event"] for event in found)
        if self._translator is not None:
            found = self._translator.take(found, self.now)
        self.counters.feed(found, self.now)

    def pass_time(self, seconds: float) -> None:
        """Let nothing happen for that long."""
        self.now += seconds
        if self._translator is not None:
            self.counters.feed(self._translator.overdue(self.now), self.now)
        self.counters.expire(self.now)


def changed(before: Samples, after: Samples) -> Samples:
    """What was counted in between; 0 for what is there and did not change: it says that nothing happened."""
    return {key: value - before.get(key, 0.0) for key, value in after.items()}


@cache
def played(version: str) -> Mapping[str, Samples]:
    """Scenario → what it added to the counters, all played one after the other over one event link.

    The transcripts have no times: a queue's caller waits as long as the truth says, everything else takes no time.
    """
    replay = Replay(version)
    found = {}
    for name in scenarios(version):
        before = counted(replay.counters)
        waited = next((int(wait[1]) for want in wants(version, name) if (wait := WAIT.search(want))), 0)
        data = events(version, name)
        gone = GONE.search(data)
        if gone is not None:
            replay.feed(data[: gone.start()])
            replay.now += waited
            data = data[gone.start() :]
        replay.feed(data)
        replay.pass_time(20.0)
        found[name] = changed(before, counted(replay.counters))
    assert replay.doubtful == 0, "the sieve doubts what a real server sent"
    return found
