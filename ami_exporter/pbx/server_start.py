"""When a server started, and whether it has restarted, judged by its answers and our clocks. Pure.

Three clocks may jump or stop: our wall clock, our monotonic clock (which stops while the machine sleeps), and the PBX's
clock, by which it counts its Uptime. None of these is a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: A start that moves by no more than these seconds is the same: logins jitter.
MOVED_SECONDS = 5.0
#: A start may seem so many seconds too early: Uptime is in whole seconds, and the answer takes time.
SLACK_SECONDS = 2.0
#: No server runs for twenty years: a longer Uptime means that its clock was set, as on machines that boot in 1970.
MOST_UPTIME = 20 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Start:
    """When a server started, by our monotonic and our wall clock. alive: its last sign of life (monotonic seconds)."""

    monotonic: float
    wall: float
    alive: float


class ServerStart:
    """What is known about one server's start. at: monotonic seconds; offset: wall clock minus monotonic clock."""

    def __init__(self) -> None:
        self.known: Start | None = None
        self.tells_uptime = False
        """Whether a login has given an Uptime."""
        self._written = ""

    @property
    def is_known(self) -> bool:
        """Whether the start of this server is known, so that a restart is noticed."""
        return self.known is not None or bool(self._written)

    def is_same(self, written: str) -> bool:
        """Whether CoreStatus writes the start that was seen before."""
        return bool(written) and written == self._written

    def alive(self, at: float) -> None:
        """Note a sign of life of the known start: a later start must be after this time."""
        if self.known is not None and at > self.known.alive:
            self.known = replace(self.known, alive=at)

    def logged_in(self, uptime: float | None, at: float, offset: float, written: str = "") -> bool:
        """Take the facts of a login; return whether the server has restarted.

        uptime: seconds, if FullyBooted has it (Asterisk 14 and later). written: the start as CoreStatus writes it, in
        the PBX's local time, if this user may ask. The same text is the same start, whatever the clocks say.
        """
        if uptime is None or not 0 <= uptime <= MOST_UPTIME:
            return self._by_writing(written)
        same = self.is_same(written)
        new, known = Start(at - uptime, at - uptime + offset, at), self.known
        self.tells_uptime = True
        restarted = known is not None and not same and _restarted(known, new, uptime)
        self.known = new if known is None or restarted else _corrected(known, new)
        self._written = written or ("" if restarted else self._written)
        return restarted

    def _by_writing(self, written: str) -> bool:
        """Take a login without Uptime: that of an older Asterisk, or of one that is still starting."""
        later = bool(self._written) and written > self._written
        if later:
            self.known = None  # it was the start before
        if later or self.known is None:
            self._written = written or self._written
        return later


def _restarted(known: Start, new: Start, uptime: float) -> bool:
    """Tell whether this start is later than the known one.

    It must be after the last sign of life. That is certain if the uptime is shorter than the time since then, or if
    both our clocks say so.
    """
    passed = new.alive - known.alive
    later = min(new.monotonic - known.monotonic, new.wall - known.wall)
    return uptime - SLACK_SECONDS <= passed and (uptime + 1.0 < passed or later > MOVED_SECONDS)


def _corrected(known: Start, new: Start) -> Start:
    """Return the same start by the current clocks: one of ours may have been set, or the machine slept."""
    by_monotonic = abs(new.monotonic - known.monotonic) <= MOVED_SECONDS
    by_wall = abs(new.wall - known.wall) <= MOVED_SECONDS
    if by_monotonic and not by_wall:
        return Start(known.monotonic, new.wall, new.alive)  # our wall clock was set
    if by_wall and not by_monotonic:
        return Start(new.monotonic, known.wall, new.alive)  # our machine slept
    return replace(known, alive=new.alive)  # jitter, or the PBX's clock was set
