"""Voice quality as both ends report it by RTCP: jitter, loss, round trip, media experience score, and dead audio.

Report blocks of RTCPSent describe what this PBX received (inbound), those of RTCPReceived what the far end received
from us (outbound). Jitter is in ticks of the codec's clock, which the event does not name: it is counted for channels
that a poll of Status has shown with codecs of 8,000 Hz only, and skipped for all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors import mediacalls
from ami_exporter.collectors.declarations import Collector, Context, Rule, Sample, Tracked, Tracker, histogram
from ami_exporter.collectors.fields import OTHER, labels, number, split_channel, technology, technology_of, to_number
from ami_exporter.collectors.heard import Sequences
from ami_exporter.collectors.mediacalls import MediaCalls, blocks_of
from ami_exporter.collectors.sent import RTP, both, by_technology, by_trunk, rtcp_of_channels, since
from ami_exporter.collectors.vocabulary import DIRECTIONS

STATUS: Final = Action("Status")

MOST_LOST: Final = 255
"""The fraction lost is one byte, in 256ths."""
CLOCK: Final = 8000.0
"""RTP clock in Hz of the codecs below, including G.722, which samples at 16,000 Hz (RFC 3551, 4.5.2)."""
CODECS_8KHZ: Final = frozenset(
    {
        *("ulaw", "alaw", "gsm", "g722", "g723", "g726", "g726aal2", "g729", "ilbc", "adpcm", "lpc10"),
        *("slin", "speex", "silk8", "codec2"),
    }
)

MAX_CHANNELS: Final = 50_000
"""Most channels whose clock is remembered: about 7 MB, more than a PBX has. Others are skipped."""
REMEMBER_SECONDS: Final = 600.0
"""A channel no poll has shown for this long, or for twice this, is forgotten; polls come every minute or faster."""
MAX_JITTER_SECONDS: Final = 10.0
MAX_RTT_SECONDS: Final = 10.0
"""Higher values are errors of the report: a clock jumped, or the 16.16 difference wrapped."""
MIN_RTT_SECONDS: Final = 0.0001
"""The last digit of a round trip: 0.0000 means not measured yet."""
MIN_MES: Final = 1.0
"""A score that is not known yet is 0; the worst one is 20."""
MAX_MES: Final = 100.0

JITTER_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2)
LOSS_BUCKETS: Final = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
RTT_BUCKETS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
MES_BUCKETS: Final = (30.0, 40.0, 50.0, 60.0, 65.0, 70.0, 75.0, 80.0, 85.0, 90.0)

_MEDIA: Final = MappingProxyType({"media": DIRECTIONS})
_WHAT: Final = "inbound: what the PBX received, outbound: what the far end received"

JITTER = histogram(
    "asterisk_rtcp_jitter_seconds",
    f"Jitter per RTCP report, for channels whose codecs have a clock of 8 kHz; {_WHAT} "
    "(AMI RTCPSent, RTCPReceived: ReportNIAJitter)",
    "media",
    "technology",
    buckets=JITTER_BUCKETS,
    closed=_MEDIA,
    sent=both(rtcp_of_channels, by_technology(*RTP)),
)
LOSS = histogram(
    "asterisk_rtcp_loss_ratio",
    f"Share of packets lost since the previous report, of reports that cover any packets; {_WHAT} "
    "(AMI RTCPSent, RTCPReceived: ReportNFractionLost)",
    "media",
    "technology",
    buckets=LOSS_BUCKETS,
    closed=_MEDIA,
    sent=both(rtcp_of_channels, by_technology(*RTP)),
)
TRUNK_JITTER = histogram(
    "asterisk_trunk_rtcp_jitter_seconds",
    f"Jitter per RTCP report of a trunk's channels whose codecs have a clock of 8 kHz; {_WHAT} "
    "(AMI RTCPSent, RTCPReceived: ReportNIAJitter)",
    "trunk",
    "media",
    buckets=JITTER_BUCKETS,
    closed=_MEDIA,
    sent=both(rtcp_of_channels, by_trunk(*RTP)),
)
TRUNK_LOSS = histogram(
    "asterisk_trunk_rtcp_loss_ratio",
    f"Share of a trunk's packets lost since the previous report; {_WHAT} "
    "(AMI RTCPSent, RTCPReceived: ReportNFractionLost)",
    "trunk",
    "media",
    buckets=LOSS_BUCKETS,
    closed=_MEDIA,
    sent=both(rtcp_of_channels, by_trunk(*RTP)),
)
RTT = histogram(
    "asterisk_rtcp_rtt_seconds",
    "Round trip time to the far end (AMI RTCPReceived: RTT)",
    "technology",
    buckets=RTT_BUCKETS,
    sent=both(rtcp_of_channels, by_technology(*RTP)),
)
MES = histogram(
    "asterisk_rtcp_mes",
    "Media experience score of Asterisk 18.17, 20.2 and later, 0 to 100, of both directions, of reports that cover "
    "any packets; 88 is the best a call can have (AMI RTCPSent, RTCPReceived: MES)",
    "technology",
    buckets=MES_BUCKETS,
    sent=both(since((18, 17), (20, 2)), by_technology(*RTP)),
)

_DIRECTION: Final = MappingProxyType(
    {"RTCPSent": "inbound", "RTCPReceived": "outbound", "rtcpsent": "inbound", "rtcpreceived": "outbound"}
)


class MediaReports:
    """Turns report blocks into jitter, loss and score, and judges what was heard on calls. A `Tracker`.

    A block with an unchanged sequence number is skipped, because no packet has arrived since the previous one. Channels
    with a clock of 8 kHz, and sequence numbers of channels whose beginning was not seen, are kept in two generations,
    so that old ones vanish. It learns only while reports arrive, because most systems never send any.
    """

    def __init__(self) -> None:
        self._calls = MediaCalls()
        self.reset()

    def reset(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()
        self._young_streams: dict[tuple[str, str], Sequences] = {}
        self._old_streams: dict[tuple[str, str], Sequences] = {}
        self._turned = 0.0
        self._wanted = False
        self._calls.reset()

    def learn(self, message: Message) -> None:
        """Take a channel's codecs from a polled Status item: Nativeformats is `(ulaw)` or `(ulaw|h264)`."""
        if not self._wanted:
            return
        channel = message.get("uniqueid", "")
        codecs = message.get("nativeformats", "").strip("()").split("|")
        if not CODECS_8KHZ.issuperset(codecs):
            self._young.discard(channel)
            self._old.discard(channel)
        elif len(self._young) < MAX_CHANNELS:
            self._young.add(channel)

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take an RTCPSent, an RTCPReceived or an event about channels."""
        media = _DIRECTION.get(message["event"])
        if media is None:
            return self._calls.event(message, context, now)
        self._wanted = True
        unique = message.get("uniqueid", "")
        moved = self._sequences(unique, media).moved(blocks_of(message))
        self._calls.report(message, media, moved=any(moved), now=now)
        return self._samples(message, context, media, moved)

    def _samples(self, message: Message, context: Context, media: str, moved: Sequence[bool]) -> Iterator[Sample]:
        channel, unique = message.get("channel", ""), message.get("uniqueid", "")
        technology_label = technology_of(channel) or OTHER
        trunk = context.trunk(*split_channel(channel)) if channel else None
        known_clock = unique in self._young or unique in self._old
        for index in (index for index, moves in enumerate(moved) if moves):
            lost = to_number(message[f"report{index}fractionlost"])
            if lost is not None and 0 <= lost <= MOST_LOST:
                yield LOSS, (media, technology_label), lost / 256
                if trunk is not None:
                    yield TRUNK_LOSS, (trunk, media), lost / 256
            jitter = to_number(message.get(f"report{index}iajitter")) if known_clock else None
            if jitter is not None and 0 <= jitter <= MAX_JITTER_SECONDS * CLOCK:
                yield JITTER, (media, technology_label), jitter / CLOCK
                if trunk is not None:
                    yield TRUNK_JITTER, (trunk, media), jitter / CLOCK
        score = to_number(message.get("mes")) if any(moved) else None
        if score is not None and MIN_MES <= score <= MAX_MES:
            yield MES, (technology_label,), score

    def _sequences(self, unique: str, media: str) -> Sequences:
        """Return the sequence numbers of the streams that this end reports on; new ones for an unnamed channel."""
        known = self._calls.sequences(unique, media)
        if known is not None or not unique:
            return known or Sequences()
        key = (unique, media)
        known = self._young_streams.get(key) or self._old_streams.get(key) or Sequences()
        if len(self._young_streams) < MAX_CHANNELS:
            self._young_streams[key] = known
        return known

    def expire(self, now: float) -> Iterable[Sample]:
        """Forget channels that no poll or report has shown for two generations."""
        if now - self._turned > REMEMBER_SECONDS:
            self._old, self._young, self._turned = self._young, set(), now
            self._old_streams, self._young_streams = self._young_streams, {}
        self._calls.expire(now)
        return ()


def _watch(tracker: Tracker, message: Message) -> None:
    if isinstance(tracker, MediaReports):
        tracker.learn(message)


_RECEIVED: Final = ("RTCPReceived",)
_BOTH: Final = ("RTCPSent", "RTCPReceived")

COLLECTOR = Collector(
    name="rtcp",
    title="Voice quality reported by RTCP",
    metrics=(JITTER, LOSS, TRUNK_JITTER, TRUNK_LOSS, RTT, MES, *mediacalls.METRICS),
    rules=(
        Rule(
            RTT,
            None,
            _RECEIVED,
            labels(technology()),
            number("RTT", minimum=MIN_RTT_SECONDS, maximum=MAX_RTT_SECONDS),
        ),
    ),
    tracked=(Tracked((*_BOTH, *mediacalls.EVENTS), MediaReports, _watch, (STATUS,)),),
)
