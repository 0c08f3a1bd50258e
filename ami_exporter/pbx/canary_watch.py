"""Follows the events of one canary call to its outcome. Pure: no clock, no sockets.

Observed with Asterisk 16 and 22: an answered or refused call has a DialEnd. A call that our own ring timeout ends has
neither DialEnd nor HangupRequest, and its Hangup has cause 19 and TechCause 480, which Asterisk sets itself. An unknown
endpoint has an OriginateResponse and nothing else. RTCPSent reports what arrived here, RTCPReceived what arrived at the
far end: ReportCount 0 means nothing so far, even in the first report of a call whose audio comes late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.ami.originate import Audio
from ami_exporter.collectors.calls import UP
from ami_exporter.collectors.canary import TONE_EVENT
from ami_exporter.collectors.fields import to_number
from ami_exporter.collectors.rtcp import MAX_RTT_SECONDS, MIN_RTT_SECONDS
from ami_exporter.collectors.vocabulary import CAUSES

RINGING: Final = "5"
_SIGNS: Final = frozenset({"RINGING", "PROGRESS", "PROCEEDING"})
_BUSY: Final = frozenset({"17"})
_NO_ANSWER: Final = frozenset({"19"})
_REJECTED: Final = frozenset({"1", "2", "3", "5", "21", "22", "28", "29", "50", "52", "54", "57", "58"})
_SIP_FAILURE: Final = range(300, 700)
_TONE_HEARD: Final = frozenset({"success", "ok"})

_NEVER_MADE: Final = "the PBX could not make the call: is the channel's endpoint there and reachable?"
_UNSEEN: Final = "its end was not seen: the events stopped, or the PBX went down"
_NO_REPORT: Final = (
    "answered, but nothing reported whether audio arrived: RTCP needs read=reporting, a tone read=user and the dialplan"
)


@dataclass(frozen=True, slots=True)
class CanaryOutcome:
    """The outcome of a call. Times in seconds from dialling; None is unknown."""

    result: str
    phases: Mapping[str, float] = field(default_factory=dict)
    cause: str | None = None
    sip_code: str | None = None
    media: Mapping[str, bool] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=dict)
    rtt: float | None = None
    mes: float | None = None
    why: str = ""
    """Why the result is `failed`, for people."""

    @property
    def up(self) -> bool:
        """Whether the trunk did everything that the canary checks."""
        return self.result == "success"


class CanaryWatch:
    """Takes the events of one call, in order. begun: when the Originate was sent, monotonic seconds."""

    def __init__(self, call_id: str, audio: Audio, begun: float) -> None:
        self._id = call_id
        self._audio = audio
        self._begun = begun
        self._dialled: float | None = None
        self._rung: float | None = None
        self._answered: float | None = None
        self._ended: float | None = None
        self._failed: float | None = None
        self._far_end_spoke = False
        self._busy = False
        self._cause = ""
        self._sip = ""
        self._media: dict[str, bool] = {}
        self._lost: dict[str, list[float]] = {"inbound": [], "outbound": []}
        self._mes: dict[str, float] = {}
        self._rtt: float | None = None
        self._kinds: Mapping[str, Callable[[Message, float], None]] = {
            "newchannel": self._created,
            "newstate": self._state,
            "dialbegin": self._begin,
            "dialstate": self._sign,
            "dialend": self._dial_end,
            "hanguprequest": self._request,
            "hangup": self._hangup,
            "originateresponse": self._response,
            "rtcpsent": lambda message, _now: self._report("inbound", message),
            "rtcpreceived": lambda message, _now: self._report("outbound", message),
            TONE_EVENT.lower(): self._tone,
        }

    def event(self, message: Message, now: float) -> None:
        """Take an event of this call. now: when it was read, monotonic seconds."""
        take = self._kinds.get(message.get("event", "").lower())
        if take is not None:
            take(message, now)

    @property
    def ended_at(self) -> float | None:
        """When the call ended, monotonic seconds; its last events arrive a little later. None while it lasts."""
        if self._ended is not None:
            return self._ended
        return self._failed if self._dialled is None else None

    def _ours(self, message: Message, name: str = "uniqueid") -> bool:
        return message.get(name) == self._id

    def _created(self, message: Message, now: float) -> None:
        if self._ours(message) and self._dialled is None:
            self._dialled = now

    def _state(self, message: Message, now: float) -> None:
        if self._ours(message):
            if message.get("channelstate") == RINGING:
                self._rung = self._rung or now
            elif message.get("channelstate") == UP:
                self._answered = self._answered or now

    def _begin(self, message: Message, now: float) -> None:
        if self._ours(message, "destuniqueid"):
            self._dialled = now

    def _sign(self, message: Message, now: float) -> None:
        if self._ours(message, "destuniqueid") and message.get("dialstatus", "").upper() in _SIGNS:
            self._rung = self._rung or now

    def _dial_end(self, message: Message, now: float) -> None:
        if self._ours(message, "destuniqueid"):
            status = message.get("dialstatus", "").upper()
            self._far_end_spoke = True
            self._busy = self._busy or status == "BUSY"
            if status == "ANSWER":
                self._answered = self._answered or now

    def _request(self, message: Message, _now: float) -> None:
        self._far_end_spoke = self._far_end_spoke or self._ours(message)

    def _hangup(self, message: Message, now: float) -> None:
        cause = message.get("cause", "")
        if self._ours(message):
            self._ended = now
            self._cause = cause if cause not in ("", "0") else self._cause or cause
        elif cause not in ("", "0"):
            self._cause = self._cause or cause  # the leg behind a Local channel knows why
        self._sip = message.get("techcause", "") or self._sip

    def _response(self, message: Message, now: float) -> None:
        if message.get("response", "").lower() == "failure":
            self._failed = now
        else:
            self._answered = self._answered or now

    def _report(self, media: str, message: Message) -> None:
        count = to_number(message.get("reportcount"))
        if count is None:
            return
        if self._audio == "rtp":  # packets prove no tone, and the dialplan sends nothing back
            self._media[media] = self._media.get(media, False) or count > 0
        lost = to_number(message.get("report0fractionlost"))
        if lost is not None and 0 <= lost <= 255:  # noqa: PLR2004 - one byte
            self._lost[media].append(lost / 256)
        score = to_number(message.get("mes"))
        if score is not None and 1 <= score <= 100:  # noqa: PLR2004 - the scale; 0 is no score yet
            self._mes[media] = score
        rtt = to_number(message.get("rtt"))
        if rtt is not None and MIN_RTT_SECONDS <= rtt <= MAX_RTT_SECONDS:
            self._rtt = rtt

    def _tone(self, message: Message, _now: float) -> None:
        if self._audio == "tone" and message.get("userevent", "").lower() == "canarytone":
            heard = message.get("status", "").strip().lower() in _TONE_HEARD
            self._media["inbound"] = heard or self._media.get("inbound", False)

    def outcome(self) -> CanaryOutcome:
        """Judge the call once it has ended or no more events come."""
        given_up = self._answered is None and not self._far_end_spoke and self._ended is not None
        media = {} if self._audio == "none" else dict(self._media)
        result, why = self._result(given_up=given_up, media=media)
        code = to_number(self._sip)
        known = None if given_up or self._cause == "" else CAUSES.get(self._cause, "other")
        heard = {name: sum(values) / len(values) for name, values in self._lost.items() if values}
        return CanaryOutcome(
            result,
            self._phases(),
            known,
            self._sip if code in _SIP_FAILURE and not given_up and self._answered is None else None,
            media,
            heard if media else {},
            self._rtt if media else None,
            min(self._mes.values(), default=None) if media else None,
            why,
        )

    def _phases(self) -> dict[str, float]:
        if self._dialled is None:
            return {}
        ends = {"first_ringing": self._rung, "answer": self._answered, "total": self._ended}
        return {name: max(0.0, at - self._dialled) for name, at in ends.items() if at is not None}

    def _result(self, *, given_up: bool, media: Mapping[str, bool]) -> tuple[str, str]:
        """Return the result, and the reason if it is `failed`."""
        if self._ended is None:
            return "failed", _NEVER_MADE if self._failed is not None and self._dialled is None else _UNSEEN
        if self._answered is None:
            return self._unanswered(given_up=given_up)
        if self._audio == "none":
            return "success", ""
        if not media:
            return "failed", _NO_REPORT
        return _audio_result(media), ""

    def _unanswered(self, *, given_up: bool) -> tuple[str, str]:
        if given_up:
            if self._rung is not None:
                return "no_answer", ""
            return "failed", "no sign of the far end before ring_timeout"
        code = to_number(self._sip) or 0
        if self._busy or self._cause in _BUSY:
            return "busy", ""
        if self._cause in _NO_ANSWER or (self._cause == "18" and self._rung is not None):
            return "no_answer", ""
        if self._cause in _REJECTED or code in (401, 403, 404, 407, 410, 484, 488, 603, 604, 607, 608):
            return "rejected", ""
        return "failed", f"cause {self._cause or 'unknown'}"


def _audio_result(media: Mapping[str, bool]) -> str:
    """Judge by the reports there are: without reports of the far end nobody knows what it heard."""
    inbound, outbound = media.get("inbound"), media.get("outbound")
    if inbound and outbound is not False:
        return "success"
    return "one_way" if inbound or outbound else "silent"
