"""Channels and calls: how many there are now, and how they began, were dialled and ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.ami.own_calls import PREFIX
from ami_exporter.collectors import holds
from ami_exporter.collectors.callevents import CALLS_TRACKED, DIALS_TRACKED
from ami_exporter.collectors.callevents import METRICS as CALL_METRICS
from ami_exporter.collectors.calls import MAX_CALLS_COUNTED
from ami_exporter.collectors.declarations import Collector, Context, Rule, Sample, counter, gauge
from ami_exporter.collectors.fields import OTHER, constant, labels, technology, technology_of, word
from ami_exporter.collectors.lists import CHANNEL_LISTS, CORE_SHOW_CHANNELS, STATUS, channel_age, tells_application
from ami_exporter.collectors.sent import before_12, from_12
from ami_exporter.collectors.vocabulary import (
    CAUSES,
    CHANNEL_STATE,
    CHANNEL_STATE_WORD,
    CHANNEL_STATES,
    COMMON_CAUSES,
    INTERNAL,
    NULL,
)

ACTIVE_CHANNELS = gauge(
    "asterisk_active_channels",
    "Channels by technology and state, without Asterisk's internal ones, such as a conference's announcer "
    "(AMI Status, CoreShowChannels: ChannelState)",
    "technology",
    "state",
    closed={"state": CHANNEL_STATES},
)
ACTIVE_CALLS = gauge(
    "asterisk_active_calls",
    "Calls: distinct Linkedids among the channels; absent beyond 200,000 (AMI Status, CoreShowChannels: Linkedid)",
)
APPLICATIONS = gauge(
    "asterisk_application_channels",
    "Channels by the dialplan application they run (AMI Status, CoreShowChannels: Application)",
    "application",
)
CODECS = gauge(
    "asterisk_codec_channels",
    "Channels by codec, the first of their native formats (AMI Status: Nativeformats)",
    "codec",
)
TRANSCODING = gauge(
    "asterisk_transcoding_channels", "Channels that translate between codecs (AMI Status: Readtrans, Writetrans)"
)
LASTING = frozenset({"AgentLogin", "Park", "Parked Call", "Page"})
"""Applications in which a channel stays for hours by design: waiting agents, parked calls ("Parked Call" up to
Asterisk 11), paging. ParkedCall is a retrieved call, and counts."""

OLDEST = gauge(
    "asterisk_oldest_channel_age_seconds",
    "Age of the oldest channel, except waiting agents, parked calls and paging (application AgentLogin, Park, Page); "
    "absent when there is none (AMI Status: Seconds; CoreShowChannels: Duration)",
    "technology",
)
CREATED = counter("asterisk_channels_created_total", "Channels created (AMI event Newchannel: Channel)", "technology")
HANGUPS = counter(
    "asterisk_hangups_total",
    "Channels ended, by Q.850 cause (AMI event Hangup: Cause)",
    "technology",
    "cause",
    closed={"cause": COMMON_CAUSES},
)

_TRANSFER_RESULTS = {
    "success": "success",
    "fail": "failure",
    "invalid": "invalid",
    "not permitted": "not_permitted",
}
TRANSFERS = counter(
    "asterisk_transfers_total",
    "Transfers by type and result; before Asterisk 12 only those that succeed "
    "(AMI events BlindTransfer, AttendedTransfer: Result)",
    "type",
    "result",
    closed={"type": ("blind", "attended"), "result": (*_TRANSFER_RESULTS.values(), OTHER)},
    sent=from_12,
)
HOLDS = counter(
    "asterisk_holds_total",
    "Times a channel was put on hold; before Asterisk 12 only if sip.conf has callevents (AMI event Hold)",
    sent=from_12,
)
PICKUPS = counter("asterisk_pickups_total", "Ringing calls picked up by another phone (AMI event Pickup)")
_ORIGINATE_RESULTS = {"success": "success", "failure": "failure"}
ORIGINATES = counter(
    "asterisk_originates_total",
    "Asynchronous originates by result; failure is every call that was not answered "
    "(AMI event OriginateResponse: Response)",
    "result",
    closed={"result": tuple(_ORIGINATE_RESULTS)},
)


K = TypeVar("K", bound=Hashable)
_CHANNEL = ("channel", "channelstate", "application", "nativeformats", "readtrans", "writetrans", "linkedid")


class ChannelFold:
    """Counts channels by their raw words and translates these once at the end, because this is the most used fold."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # By technology, state, application, formats, translating: one look-up a channel is faster than four.
        self._kinds: dict[tuple[str, str, str, str, bool], int] = defaultdict(int)
        self._linked: set[str] = set()
        self._oldest: dict[str, int] = {}
        self._tells_formats = not before_12(context)

    def item(self, _action: Action, message: Message) -> None:
        """Take one channel, unless it belongs to a canary call."""
        channel, state, application, formats, read, write, linkedid = message.pick(_CHANNEL)
        if linkedid.startswith(PREFIX):
            return
        tech = channel.partition("/")[0]
        if tech in INTERNAL:
            return
        if not state or not formats:
            state, formats = self._of_old_status(message, state, formats)
        self._kinds[tech, state, application, formats, bool(read or write)] += 1
        if len(self._linked) <= MAX_CALLS_COUNTED:
            self._linked.add(linkedid)
        age = channel_age(message)
        if (
            age is not None
            and age > self._oldest.get(tech, -1)
            and application not in LASTING
            and (application or tells_application(message))
        ):
            self._oldest[tech] = age

    def _of_old_status(self, message: Message, state: str, formats: str) -> tuple[str, str]:
        """State and formats of a channel before Asterisk 12, where Status says less."""
        if not formats and "nativeformats" not in message:
            self._tells_formats = False
        return state or message.get("state", ""), formats

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Publish when either list of channels is complete; codecs are only in Status."""
        if not complete & CHANNEL_LISTS:
            return
        yield from self._active_channels()
        # Before Asterisk 12 there is no Linkedid, so the number is unknown, not 0.
        if "" not in self._linked and len(self._linked) <= MAX_CALLS_COUNTED:
            yield ACTIVE_CALLS, (), float(len(self._linked))
        applications = self._counts(lambda kind: kind[2])
        yield from (
            (APPLICATIONS, (name,), float(count)) for name, count in applications.items() if name not in ("", NULL)
        )
        oldest: dict[str, int] = {}
        for name, age in self._oldest.items():
            tech = technology_of(name)
            if tech is not None:
                oldest[tech] = max(age, oldest.get(tech, 0))
        yield from ((OLDEST, (tech,), float(age)) for tech, age in oldest.items())
        if STATUS in complete and self._tells_formats:
            yield TRANSCODING, (), float(self._counts(lambda kind: kind[4])[True])
            for codec, count in _codecs(self._counts(lambda kind: kind[3])).items():
                yield CODECS, (codec,), float(count)

    def _counts(self, part: Callable[[tuple[str, str, str, str, bool]], K]) -> Counter[K]:
        """Channels by a part of their kind."""
        counts: Counter[K] = Counter()
        for kind, count in self._kinds.items():
            counts[part(kind)] += count
        return counts

    def _active_channels(self) -> Iterator[Sample]:
        counts = {(tech, state): 0 for tech in self._context.technologies for state in CHANNEL_STATES}
        for (name, number), count in self._counts(lambda kind: kind[:2]).items():
            tech = technology_of(name)
            state = CHANNEL_STATE.get(number) or CHANNEL_STATE_WORD.get(number.lower())
            if tech is None or state is None:
                continue
            for every in CHANNEL_STATES:
                counts.setdefault((tech, every), 0)
            counts[tech, state] += count
        return ((ACTIVE_CHANNELS, key, float(count)) for key, count in counts.items())


def _codecs(formats: Mapping[str, int]) -> dict[str, int]:
    """Return counts by the first codec of formats such as "(ulaw|alaw)"; "(nothing)" means none."""
    counts: dict[str, int] = {}
    for written, count in formats.items():
        codec = written.strip("()").partition("|")[0]
        if codec and codec != "nothing":
            counts[codec] = counts.get(codec, 0) + count
    return counts


COLLECTOR = Collector(
    name="channels",
    title="Channels, calls and dials",
    metrics=(
        ACTIVE_CHANNELS,
        ACTIVE_CALLS,
        APPLICATIONS,
        CODECS,
        TRANSCODING,
        OLDEST,
        CREATED,
        HANGUPS,
        *CALL_METRICS,
        TRANSFERS,
        HOLDS,
        holds.SECONDS,
        PICKUPS,
        ORIGINATES,
    ),
    polls=((STATUS, CORE_SHOW_CHANNELS),),
    rules=(
        Rule(CREATED, None, ("Newchannel",), labels(technology())),
        Rule(HANGUPS, None, ("Hangup",), labels(technology(), word("Cause", CAUSES))),
        Rule(TRANSFERS, None, ("BlindTransfer",), labels(constant("blind"), word("Result", _TRANSFER_RESULTS))),
        Rule(TRANSFERS, None, ("AttendedTransfer",), labels(constant("attended"), word("Result", _TRANSFER_RESULTS))),
        # Before Asterisk 12, Hold has Status: On or Off; newer versions have Unhold.
        Rule(HOLDS, None, ("Hold",), where=lambda message: message.get("status", "").lower() != "off"),
        Rule(PICKUPS, None, ("Pickup",)),
        Rule(ORIGINATES, None, ("OriginateResponse",), labels(word("Response", _ORIGINATE_RESULTS, other=None))),
    ),
    fold=ChannelFold,
    tracked=(CALLS_TRACKED, DIALS_TRACKED, holds.TRACKED),
)
