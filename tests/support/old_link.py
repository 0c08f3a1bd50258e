"""An event link to a server before Asterisk 12 whose events a test writes, one a line."""

from __future__ import annotations

from dataclasses import replace

from ami_exporter.ami.message import Message
from ami_exporter.ami.old.translator import OldEvents
from ami_exporter.collectors import channels, queues, trunks
from ami_exporter.collectors.declarations import Context, Trunk
from tests.support.collecting import Samples, counted, message, nonzero, store_of

TELCO = replace(
    Context(),
    trunks={"telco": Trunk("telco", "SIP", "telco")},
    trunk_names={("SIP", "telco"): "telco"},
    version=(1, 8, 32),
)


class OldLink:
    """An event link to an old server whose events a test writes, one a line."""

    def __init__(self) -> None:
        self.now = 100.0
        self.events = OldEvents()
        self.counters = store_of(channels.COLLECTOR, trunks.COLLECTOR, queues.COLLECTOR, context=TELCO)
        self.told: list[Message] = []

    def hears(self, *lines: str, after: float = 0.0) -> None:
        """`Newchannel Uniqueid=1 Channel=SIP/a-1 ChannelState=0`: one event after the other."""
        self.now += after
        for line in lines:
            name, *headers = line.split(" ")
            event = message("\n".join([f"Event: {name}", *(header.replace("=", ": ", 1) for header in headers)]))
            told = self.events.take([event], self.now)
            self.told.extend(told)
            self.counters.feed(told, self.now)

    def waits(self, seconds: float) -> None:
        self.now += seconds
        self.counters.feed(self.events.overdue(self.now), self.now)
        self.counters.expire(self.now)

    def comes_in(self, uid: str, name: str) -> None:
        self.hears(
            f"Newchannel Channel={name} ChannelState=0 Uniqueid={uid}",
            f"Newstate Channel={name} ChannelState=4 Uniqueid={uid}",
        )

    def dials(self, caller: str, uid: str, name: str) -> None:
        self.hears(
            f"Newchannel Channel={name} ChannelState=0 Uniqueid={uid}",
            f"Dial SubEvent=Begin Channel=x Destination={name} UniqueID={caller} DestUniqueID={uid} Dialstring=x",
        )

    def is_up(self, uid: str) -> None:
        self.hears(f"Newstate Channel=x ChannelState=6 Uniqueid={uid}")

    def ends(self, uid: str, name: str, cause: int = 16) -> None:
        self.hears(f"Hangup Channel={name} Uniqueid={uid} Cause={cause}")

    def dial_ends(self, uid: str, status: str) -> None:
        self.hears(f"Dial SubEvent=End Channel=x UniqueID={uid} DialStatus={status}")

    def takes_place(self, clone: tuple[str, str], original: tuple[str, str]) -> None:
        """A masquerade as servers write it: (Uniqueid, name) of both."""
        (uid, name), (place, placed) = clone, original
        self.hears(
            f"Masquerade Clone={name} CloneState=Up Original={placed} OriginalState=Up",
            f"Rename Channel={name} Newname={name}<MASQ> Uniqueid={uid}",
            f"Rename Channel={placed} Newname={name} Uniqueid={place}",
            f"Rename Channel={name}<MASQ> Newname={placed}<ZOMBIE> Uniqueid={uid}",
        )

    def counts(self, *names: str) -> Samples:
        """What is not 0 of these metrics."""
        return {
            (name.removeprefix("asterisk_"), *labels): value
            for (name, *labels), value in nonzero(counted(self.counters)).items()
            if name.removeprefix("asterisk_") in names
        }
