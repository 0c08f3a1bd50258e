"""RTCP of a call: every five seconds, both ends report on the stream they receive (main/rtp_engine.c)."""

from __future__ import annotations

from dataclasses import dataclass

from . import blocks
from .dice import Dice
from .engine import Process
from .items import CODEC_RATES
from .switch import Switch
from .wire import headers
from .world import UP, Channel

INTERVAL = 5.0
PACKETS = 250  # of 20 ms in an interval
OWN_ADDRESS = "192.0.2.1:16384"
BAD_SHARE, BAD_FACTOR = 0.04, 12.0  # share of intervals with bad quality, and how much worse they are


@dataclass(slots=True)
class MediaStream:
    """One direction of a call's media and its running totals."""

    ssrc: int
    packets: int = 0
    lost: int = 0
    lasts: float = float("inf")  # seconds until its packets no longer arrive; 0: no packet arrives

    def go_on(self) -> None:
        """Count the packets of one interval."""
        if self.lasts > 0:
            self.packets += PACKETS
        self.lasts -= INTERVAL


class Rtcp:
    """RTCP reports of all channels; PJSIP and SIP only, IAX2 has none."""

    def __init__(self, switch: Switch, dice: Dice) -> None:
        self.switch, self.dice = switch, dice
        self._apart = dice.apart(2)

    def begin(self, chan: Channel) -> None:
        """Send reports of this channel until it ends."""
        if chan.endpoint.tech in {"PJSIP", "SIP"}:
            self.switch.time.spawn(self._reports(chan), self.dice.between(1.0, INTERVAL))

    def _reports(self, chan: Channel) -> Process:
        ours, theirs = MediaStream(self.dice.bits(32)), MediaStream(self.dice.bits(32))
        media = chan.endpoint.media
        if self._apart.chance(media.silent):
            self._apart.pick((ours, theirs)).lasts = self._apart.pick((0.0, 3 * INTERVAL))
        while chan.alive and chan.state == UP:
            for stream in (ours, theirs):
                stream.go_on()
            rtt = media.rtt * self.dice.between(0.8, 1.3)
            bad = BAD_FACTOR if self.dice.chance(BAD_SHARE) else 1.0
            here, there = OWN_ADDRESS, chan.endpoint.contacts[0].address
            way = headers(("To", there), ("From", here))
            self._tell(chan, "RTCPSent", way, (ours, theirs), bad=bad)
            mes = self._mes(chan, bad, rtt)
            way = headers(("To", here), ("From", there), ("RTT", f"{rtt:4.4f}"), ("MES", f"{mes:4.1f}"))
            self._tell(chan, "RTCPReceived", way, (theirs, ours), bad=bad)
            yield INTERVAL

    def _mes(self, chan: Channel, bad: float, rtt: float) -> float:
        """Media experience score: at best 88 for narrowband, less with loss and delay (a rough approximation)."""
        return max(0.0, 88.0 - 900 * chan.endpoint.media.loss * bad - 60 * rtt - 200 * chan.endpoint.media.jitter)

    def _tell(
        self, chan: Channel, name: str, way: str, streams: tuple[MediaStream, MediaStream], *, bad: float
    ) -> None:
        """Send a sender report whose only block is about ``other``, the stream that this end receives."""
        sender, other = streams
        media, rate = chan.endpoint.media, CODEC_RATES[chan.endpoint.codec]
        # Most intervals lose no packets; a lossy one loses several.
        lost = int(self.dice.around(PACKETS * media.loss * bad)) if self.dice.chance(0.5) else 0
        other.lost += lost
        jitter = self.dice.around(media.jitter * (1 + bad / BAD_FACTOR))
        sent = self.switch.world.unix(self.switch.time.now)
        report = headers(
            ("SSRC", f"0x{sender.ssrc:08x}"),
            ("PT", "200(SR)"),
            ("ReportCount", int(other.packets > 0)),
            ("SentNTP", f"{sent}.000000"),
            ("SentRTP", sender.packets * rate // 50),
            ("SentPackets", sender.packets),
            ("SentOctets", sender.packets * 160),
        )
        if other.packets:
            report += headers(
                ("Report0SourceSSRC", f"0x{other.ssrc:08x}"),
                ("Report0FractionLost", min(255, lost * 256 // PACKETS)),
                ("Report0CumulativeLost", other.lost),
                ("Report0HighestSequence", other.packets & 0xFFFF),
                ("Report0SequenceNumberCycles", other.packets >> 16),
                ("Report0IAJitter", int(jitter * rate)),
                ("Report0LSR", sent & 0xFFFFFFFF),
                ("Report0DLSR", f"{self.dice.between(0.5, 4.5):4.4f}"),
            )
        self.switch.tell(name, "reporting", blocks.channel(chan) + way + report)
