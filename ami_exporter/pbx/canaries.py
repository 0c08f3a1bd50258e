"""The canary calls of one target: on their own schedule, one at a time, never triggered by a request.

A thread waits until a canary is due, checks the reasons not to call, starts the call as the canary's own user on a
connection that lasts a second, and follows the call's events, which the target's event link hands over. Nothing is
retried. If this program ends, Asterisk still ends the call by the call's own timeouts.
"""

from __future__ import annotations

import contextlib
import logging
import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread

from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.link import Link
from ami_exporter.ami.message import Message
from ami_exporter.ami.originate import CanaryCall
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.exposition.writer import Family
from ami_exporter.pbx.canary_ledger import Entry, Ledger
from ami_exporter.pbx.canary_watch import CanaryOutcome, CanaryWatch
from ami_exporter.pbx.login_backoff import LoginPaused
from ami_exporter.pbx.state_log import StateLog

log = logging.getLogger(__name__)

#: Seconds that starting a call may take, and seconds after its end in which its last events arrive.
START_SECONDS = 5.0
LAST_EVENTS_SECONDS = 0.5
#: Seconds to wait for the end of a call beyond its longest possible duration.
SPARE_SECONDS = 3.0
#: Events of one call that may be queued: what one call sends in ten seconds.
MAX_EVENTS = 2000
#: No canary calls a PBX in its first minute, or in the first minute of the event link if its start is unknown.
STARTING_SECONDS = 60.0
#: After so many seconds a call of another exporter counts as over, even if its end was not seen.
FOREIGN_SECONDS = 180.0
#: Longest wait for the next call or event, and so the longest delay of a stop.
WAKE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What canaries ask the rest of the target.

    connect: opens a link for a user before a deadline (monotonic seconds); raises LoginPaused or AmiError. starting:
    whether the PBX started less than STARTING_SECONDS ago. listening: seconds for which the event link has been up,
    None while it is down. full: whether the channel's trunk has at most one free channel, None if unknown.
    """

    connect: Callable[[AmiUser, float], Link]
    starting: Callable[[], bool]
    listening: Callable[[], float | None]
    full: Callable[[str], bool | None]


@dataclass(frozen=True, slots=True)
class CanaryState:
    """One canary. result, why and ended (Unix time) describe its last finished call; due: monotonic seconds."""

    name: str
    result: str
    why: str
    ended: float | None
    due: float


class Canaries:
    """Makes the calls of one target. clock: monotonic seconds; wall: Unix time; chance: a number in [0, 1)."""

    def __init__(
        self,
        target: str,
        canaries: Mapping[str, CanarySettings],
        around: Surroundings,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._target = target
        self._around = around
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._canaries = dict(canaries)
        self._ledger = Ledger(chance)
        self._ledger.use(canaries, clock())
        self._events: queue.Queue[tuple[Message, float]] = queue.Queue(MAX_EVENTS)
        self._call_id = ""
        self._foreign: dict[str, float] = {}
        self._state_log = StateLog(log)
        self._stop = Event()
        self._started = False
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread if there are canaries. If the system has none left, later scrapes try again."""
        self._started = True
        self._check_thread()

    def _check_thread(self) -> None:
        with self._lock:
            if not self._started or not self._canaries or self._thread is not None or self._stop.is_set():
                return
            thread = Thread(target=self._run, name=f"canaries-{self._target}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                wait = "canary calls wait for a free thread: raise TasksMax="
                self._state_log.note(("thread",), "none", logging.ERROR, wait, target=self._target, error=str(error))
            else:
                self._thread = thread

    def stop(self) -> None:
        """Start no more calls. Asterisk ends a call under way, at the latest by its absolute timeout."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout)

    def configure(self, canaries: Mapping[str, CanarySettings]) -> None:
        """Use other canaries; the state of unchanged ones is kept."""
        with self._lock:
            self._canaries = dict(canaries)
            self._ledger.use(canaries, self._clock())
        self.start()

    def adopt(self, before: Canaries) -> None:
        """Take over the day's calls, failures and results from the canaries that these replace."""
        with before._lock, self._lock:
            self._ledger.entries = dict(before._ledger.entries)
            self._ledger.use(self._canaries, self._clock())

    def event(self, call_id: str, message: Message, now: float) -> None:
        """Take an event of a canary call, ours or another exporter's. The event link's thread calls this."""
        if call_id == self._call_id:
            with contextlib.suppress(queue.Full):
                self._events.put_nowait((message, now))
        elif message.get("event") == "Hangup" and message.get("uniqueid") == call_id:
            self._foreign.pop(call_id, None)
        elif len(self._foreign) < MAX_EVENTS:
            self._foreign.setdefault(call_id, now)

    def families(self) -> list[Family]:
        """Return the metrics of the last finished calls; none without canaries."""
        self._check_thread()
        with self._lock:
            return list(self._ledger.families()) if self._canaries else []

    def states(self) -> list[CanaryState]:
        """Return the state of each canary, for the status page."""
        with self._lock:
            return [
                CanaryState(
                    name,
                    entry.last.result if entry.last else "",
                    (entry.last.why or entry.last.cause or "") if entry.last else "",
                    entry.ended or None,
                    entry.due,
                )
                for name, entry in self._ledger.entries.items()
            ]

    def _run(self) -> None:
        while not self._stop.wait(self._pause()):
            name = self._due()
            if name is not None:
                try:
                    self.attend(name)
                except Exception:
                    log.exception("a canary call failed in the exporter", extra={"target": self._target})

    def _pause(self) -> float:
        with self._lock:
            left = min((entry.due for entry in self._ledger.entries.values()), default=float("inf")) - self._clock()
        return max(0.0, min(left, WAKE_SECONDS))

    def _due(self) -> str | None:
        with self._lock:
            now = self._clock()
            due = [(entry.due, name) for name, entry in self._ledger.entries.items() if entry.due <= now]
            return min(due)[1] if due else None

    def attend(self, name: str) -> CanaryOutcome | None:
        """Make a canary's call or note why not, and schedule the next one. Blocks while the call lasts."""
        with self._lock:
            one, entry = self._canaries[name], self._ledger.entries[name]
        now = self._clock()
        reason = self._reason_not_to(one, entry, now)
        if reason:
            with self._lock:
                entry.skips[reason] += 1
                entry.next(now)
            self._note(name, f"skipped: {reason}", logging.INFO, reason)
            return None
        entry.starts.append(now)
        entry.next(now)
        try:
            outcome = self.call(one)
        except LoginPaused as paused:
            with self._lock:
                entry.starts.pop()
                entry.skips["back_off"] += 1
            self._note(name, "skipped: back_off", logging.WARNING, f"user {one.user.username}: {paused}")
            return None
        if outcome is None:  # stopped meanwhile: the outcome is unknown
            return None
        with self._lock:
            entry.finished(outcome, self._clock(), self._wall())
        level = logging.INFO if outcome.up else logging.WARNING
        self._note(name, outcome.result, level, outcome.why or outcome.cause or "")
        return outcome

    def _reason_not_to(self, one: CanarySettings, entry: Entry, now: float) -> str:
        """Return why no call may be made now, as the metric's label; empty when it may. Cheap checks come first."""
        listening = self._around.listening()
        self._foreign = {call: seen for call, seen in self._foreign.items() if now - seen < FOREIGN_SECONDS}
        if listening is None:
            return "down"
        if self._around.starting():
            return "starting"
        if now < entry.resume:
            return "back_off"
        if entry.calls_of_the_day(now) >= one.max_calls_per_day:
            return "cap"
        if self._foreign:
            return "busy"
        full = self._around.full(one.channel)
        return "down" if full is None else "limit" if full else ""

    def call(self, one: CanarySettings) -> CanaryOutcome | None:
        """Make one call now and follow it to its end; None when stopped before that. Raises LoginPaused."""
        call = CanaryCall(one.channel, one.audio, one.ring_timeout, one.duration, one.internal)
        begun = self._clock()
        watch = CanaryWatch(call.call_id, one.audio, begun)
        self._call_id = call.call_id
        try:
            refused = self._start_call(one.user, call)
            if refused:
                return CanaryOutcome("failed", why=refused)
            return self._follow(watch, begun + call.longest + SPARE_SECONDS)
        finally:
            self._call_id = ""
            while not self._events.empty():
                self._events.get_nowait()

    def _start_call(self, user: AmiUser, call: CanaryCall) -> str:
        """Log in, originate, log off; return why that failed."""
        try:
            with contextlib.closing(self._around.connect(user, self._clock() + START_SECONDS)) as link:
                if link.commands and not link.offers("Originate"):
                    return f"user {user.username} may not originate: it needs write=originate"
                answer = link.originate(call, self._clock() + START_SECONDS)
        except AmiError as error:
            return f"user {user.username}: {error}"
        return "" if answer.get("response", "").lower() == "success" else answer.get("message", "refused")

    def _follow(self, watch: CanaryWatch, deadline: float) -> CanaryOutcome | None:
        """Take events until the call has ended and its last events have arrived, or until it must have ended."""
        while not self._stop.is_set():
            now = self._clock()
            until = deadline if watch.ended_at is None else watch.ended_at + LAST_EVENTS_SECONDS
            if now >= until:
                return watch.outcome()
            try:
                message, seen = self._events.get(timeout=min(until - now, WAKE_SECONDS))
            except queue.Empty:
                if self._around.listening() is None:  # its end can no longer be seen
                    return watch.outcome()
                continue
            watch.event(message, seen)
        return None

    def _note(self, name: str, state: str, level: int, error: str) -> None:
        extra = {"target": self._target, "canary": name, "result": state} | ({"error": error} if error else {})
        self._state_log.note((name,), state, level, "canary call", **extra)
