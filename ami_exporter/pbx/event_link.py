"""The event side of one target: own connection, own thread, reading promptly whatever else happens.

Asterisk cuts a slow reader off and may stall calls on the way there, so this thread only reads, counts, and reconnects.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from threading import Event, Thread

from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.link import Link
from ami_exporter.ami.message import Message
from ami_exporter.pbx.connector import Connector, LoginPaused
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.login_backoff import ReconnectBackoff
from ami_exporter.pbx.stats import TargetStats

log = logging.getLogger(__name__)

#: A quiet link is asked for a sign of life after so long, and given so long to answer.
KEEPALIVE_SECONDS = 15.0
PING_SECONDS = 5.0
#: How long one wait for events lasts, the time a stop may take: so long, or so many times the time between two reads.
WAKE_SECONDS = 0.5
WAKE_GATHERS = 4
OPEN_SECONDS = 10.0
EXPIRE_SECONDS = 10.0
#: Messages counted under one hold of the store's lock: some 5 ms, the most a scrape waits for it.
BATCH = 500
#: After these the server may be another, or offer other actions.
NOTICED = frozenset({"FullyBooted", "Reload", "Shutdown", "Load", "Unload"})


class EventLink:
    """Feeds the counters. `prepare` runs before each connection: it lets the poll side learn what rules must know.

    gather: seconds between two reads while events keep coming.
    """

    def __init__(
        self,
        name: str,
        classes: frozenset[str],
        *,
        connector: Connector,
        counters: EventCounters,
        stats: TargetStats,
        backoff: ReconnectBackoff,
        clock: Callable[[], float],
        gather: float,
        prepare: Callable[[], None],
        noticed: Callable[[str, Link], None],
    ) -> None:
        self._connector = connector
        self._classes = sorted(classes)
        self._counters = counters
        self._stats = stats
        self._backoff = backoff
        self._clock = clock
        self._gather = gather
        self._prepare = prepare
        self._noticed = noticed
        self._stop = Event()
        self._before: EventLink | None = None
        self._thread = Thread(target=self._run, name=f"events-{name}", daemon=True)

    def start(self, before: EventLink | None = None) -> None:
        """Start listening, once the link before this one has ended: what it does last must not seem to be of this."""
        self._before = before
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to log off and end; `join` waits for it."""
        self._stop.set()

    def join(self, timeout: float | None) -> None:
        """Wait for the thread."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        if self._before is not None:
            self._before.join(None)
            self._before = None
        while not self._stop.is_set():
            link = self._open()
            if link is None:
                self._stop.wait(self._backoff.failed())
                continue
            reason = ""
            try:
                self._listen(link)
            except AmiError as error:
                reason = str(error)
            except Exception:
                reason = "a fault in the exporter"
                log.exception("event rules failed; the link is opened again")
            self._counters.reset_trackers()
            link.close()
            self._connector.lost("events", link, reason)
            self._stop.wait(self._backoff.failed())

    def _open(self) -> Link | None:
        try:
            self._prepare()
            if not self._stop.is_set():
                return self._connector.open("events", self._clock() + OPEN_SECONDS, self._classes)
        except (AmiError, LoginPaused):
            pass  # counted and logged where it happened
        except Exception:
            log.exception("a fault in the exporter before the event link was open; it is tried again")
        return None

    def _listen(self, link: Link) -> None:
        self._connector.works("events")
        wake = max(WAKE_SECONDS, WAKE_GATHERS * self._gather)
        heard = expired = self._clock()
        while not self._stop.is_set():
            events = link.read_events(self._clock() + wake, self._gather)
            now = self._clock()
            if events:
                heard = now
                self._backoff.succeeded()
                self._take(events, link, now)
            elif now - heard > KEEPALIVE_SECONDS:
                # Where it is in vain the next read tells, after the events that came before the end.
                with contextlib.suppress(AmiError):
                    link.ping(now + PING_SECONDS)
                    self._backoff.succeeded()
                heard = self._clock()
            if now - expired > EXPIRE_SECONDS:
                expired = now
                self._counters.expire(now)
                self._connector.count_errors(link)

    def _take(self, events: list[Message], link: Link, now: float) -> None:
        self._stats.received(len(events))
        for start in range(0, len(events), BATCH):
            self._counters.feed(events[start : start + BATCH], now)
        for event in events:
            name = event["event"]
            if name in NOTICED:
                self._noticed(name, link)
