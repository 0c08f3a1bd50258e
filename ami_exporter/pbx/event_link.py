"""The event link of one target: a connection of its own, reopened whenever it ends, read by the loop of all targets.

Asterisk disconnects a slow reader and may stall calls before it does. So the loop only reads and counts; everything
that blocks (connecting, logging in, the first poll) runs in the openers' threads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event

from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.link import Link
from ami_exporter.ami.message import Message
from ami_exporter.ami.old.translator import OldEvents, translator
from ami_exporter.pbx.connector import Connector
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.event_loop import EventLoop
from ami_exporter.pbx.event_rights import EventRights
from ami_exporter.pbx.login_backoff import LoginPaused, ReconnectBackoff
from ami_exporter.pbx.stats import LinkName, TargetStats

log = logging.getLogger(__name__)

#: A quiet link gets a Ping after the first time and must answer within the second. A gap counts from the last sign of
#: life, so it may seem longer than it was by at most these seconds.
KEEPALIVE_SECONDS = 5.0
PING_SECONDS = 5.0
OPEN_SECONDS = 10.0
EXPIRE_SECONDS = 10.0
#: Seconds to wait for the server's goodbye.
LOGOFF_SECONDS = 0.5
#: Messages counted while the counters' lock is held: about 5 ms, the longest that a scrape waits for it.
BATCH = 500
#: After these events the server may have restarted or offer other actions.
NOTICED = frozenset({"FullyBooted", "Reload", "Shutdown", "Load", "Unload"})


class EventLink:
    """Feeds the event counters of one target.

    prepare runs before each connection: it polls what rules must know, and returns whether to connect. noticed takes
    events after which the server may have changed. begun: events arrive from now on. lost: the link has ended, so
    trackers miss how unfinished calls end.
    """

    def __init__(
        self,
        name: LinkName,
        classes: frozenset[str],
        *,
        loop: EventLoop,
        connector: Connector,
        counters: EventCounters,
        stats: TargetStats,
        backoff: ReconnectBackoff,
        clock: Callable[[], float],
        prepare: Callable[[], bool],
        noticed: Callable[[str, Link], None],
        begun: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self._name = name
        self._classes = sorted(classes)
        self.rights = EventRights(classes, clock, lambda: counters.events)
        self._loop = loop
        self._connector = connector
        self._counters = counters
        self._stats = stats
        self._backoff = backoff
        self._clock = clock
        self._prepare = prepare
        self._noticed = noticed
        self._on_begin = begun
        self._on_loss = lost
        self._stopping = False
        self._stopped = Event()
        # Only the loop's thread uses what follows.
        self._opening = True
        self._ended = False
        self._on_end: Callable[[], None] | None = None
        self._link: Link | None = None
        self._translator: OldEvents | None = None
        self._fd = -1
        self._heard = self._expired = 0.0
        self._pinged: float | None = None

    def start(self, before: EventLink | None = None) -> None:
        """Start, once the link before this one has ended: its end must not be mistaken for ours."""
        if before is None:
            self._loop.open(self._open, again=False)
        else:
            self._loop.call(lambda: before.when_ended(self.start))

    def stop(self) -> None:
        """Log off soon; `join` waits for it."""
        self._stopping = True
        self._loop.call(self._log_off)

    def join(self, timeout: float | None) -> None:
        """Wait until the link has logged off. A connection that is still being opened is closed at once."""
        self._stopped.wait(timeout)

    def when_ended(self, job: Callable[[], None]) -> None:
        """Run a job once this link has ended. For the loop's thread only."""
        if self._ended:
            job()
        else:
            self._on_end = job

    def _open(self) -> None:
        """Connect and log in. Blocks, in an opener's thread."""
        link = None
        try:
            if not self._stopping and self._prepare() and not self._stopping:
                link = self._connector.open(self._name, self._clock() + OPEN_SECONDS, self._classes)
        except (AmiError, LoginPaused):
            pass  # counted and logged where it happened
        except Exception:
            log.exception("unexpected error while opening the event link; it will be retried")
        if link is not None and self._stopping:  # the loop may have ended, too
            link.close()
            self._connector.lost(self._name, link, "")
            link = None
        self._loop.call(lambda: self._opened(link))

    def _opened(self, link: Link | None) -> None:
        self._opening = False
        if link is None:
            self._try_again()
            return
        self._link, self._fd = link, link.fileno()
        self._heard = self._expired = self._clock()
        self._pinged = None
        self._translator = translator(link.version) if "call" in self._classes else None
        if self._translator is not None:
            self._counters.identify(self._translator.identity)
        self._loop.add(self._fd, self)
        if self._stopping:
            self._log_off()
            return
        self._connector.works(self._name)
        self.rights.begun(link.version)
        self._on_begin()
        self._take(link)

    def _try_again(self) -> None:
        if self._stopping:
            self._end()
        else:
            self._loop.later(self._backoff.failed(), self._open_again)

    def _open_again(self) -> None:
        if not self._ended:
            self._opening = True
            self._loop.open(self._open, again=True)

    def readable(self, room: memoryview) -> int:
        link = self._link
        if link is None:
            return 0
        size = self._take(link, room)
        if link.closed and self._link is link:
            self.lost(link.closed_because)
        return size

    def beat(self, now: float, room: memoryview) -> None:
        """Ping a quiet link, close a silent one, and let trackers drop entries that are too old."""
        if self._link is None:
            return
        if self._pinged is not None and now - self._pinged > PING_SECONDS:
            # On a busy machine we may be what is late, and the answer waits to be read.
            if not self.readable(room):
                self.lost("no answer to a ping before the deadline")
            return
        if self._pinged is None and now - self._heard > KEEPALIVE_SECONDS:
            self._pinged = now
            self._link.send("Ping")
        link = self._link
        self._take(link)  # what waited for the rest of a torn event
        if now - self._expired > EXPIRE_SECONDS:
            self._expired = now
            self._counters.expire(now)
            self._connector.count_errors(link)

    def _take(self, link: Link, room: memoryview | None = None) -> int:
        """Count the events that have arrived, with `room` also those not yet read; return the number of bytes read."""
        size = 0
        try:
            if room is None:
                events = link.kept_events()
            else:
                size, events = link.read_ready(room)
            if size:
                self._heard, self._pinged = self._clock(), None
                self._backoff.succeeded()
            if link.protocol_errors:
                self._connector.count_errors(link)
            if events:
                self._count(events, link)
            if room is None and self._translator is not None:
                self._counters.feed(self._translator.overdue(self._clock()), self._clock())
        except AmiError as error:
            self.lost(str(error))
        except Exception:
            log.exception("event rules failed; the event link will be reopened")
            self.lost("a fault in the exporter")
        return size

    def _count(self, events: list[Message], link: Link) -> None:
        now = self._clock()
        self._stats.received(len(events))
        names = {event.cells[event.layout.event] for event in events}
        self.rights.heard(names)
        modern = events if self._translator is None else self._translator.take(events, now)
        for start in range(0, len(modern), BATCH):
            self._counters.feed(modern[start : start + BATCH], now)
        for name in names & NOTICED:
            self._noticed(name, link)

    def lost(self, reason: str) -> None:
        """Close at once; an empty reason means that we wanted it."""
        link, self._link = self._link, None
        if link is None:
            return
        self._loop.remove(self._fd)
        self.rights.ended()
        self._on_loss()
        link.drop()
        self._connector.lost(self._name, link, "" if self._stopping else reason)
        self._try_again()

    def _log_off(self) -> None:
        if self._opening:
            self._stopped.set()
        elif self._link is None:
            self._end()
        else:
            self._link.send("Logoff")
            self._loop.later(LOGOFF_SECONDS, lambda: self.lost(""))

    def _end(self) -> None:
        self._ended = True
        self._stopped.set()
        if self._on_end is not None:
            self._on_end()
            self._on_end = None
