"""When a server started, and whether it was started anew, as far as its words and our clocks tell. Pure.

Three clocks may be set or stand still: ours (wall), ours (monotonic, which stops while the machine sleeps), and the
PBX's, by which it counts its Uptime. None of that is a start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: A start that moves by no more than this is the same: the jitter of logins.
MOVED_SECONDS = 5.0
#: Whole seconds of Uptime, and the time the answer took: a start may seem so much earlier than it was.
SLACK_SECONDS = 2.0
#: No server runs for twenty years: its clock was set since it started, as on machines that boot in 1970.
MOST_UPTIME = 20 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Start:
    """When a server started by our monotonic and our wall clock. alive: its last sign of life (monotonic seconds)."""

    monotonic: float
    wall: float
    alive: float


class ServerStart:
    """What is known of one server's start. `at`: monotonic seconds; offset: wall clock less monotonic clock."""

    def __init__(self) -> None:
        self.known: Start | None = None
        self._written = ""

    @property
    def is_told(self) -> bool:
        """Whether this server tells when it started, so that a restart would be seen."""
        return self.known is not None or bool(self._written)

    def alive(self, at: float) -> None:
        """Note that the server started last was still there: whatever starts later has started since."""
        if self.known is not None and at > self.known.alive:
            self.known = replace(self.known, alive=at)

    def told(self, uptime: float | None, at: float, offset: float, written: str = "") -> bool:
        """Take what a login told; True when the server was started anew.

        uptime: seconds, where FullyBooted says it (Asterisk 14 and later); written: the start as CoreStatus writes it,
        in the PBX's local time, where this user may ask. The same writing is the same start, whatever the clocks say.
        """
        same = bool(written) and written == self._written
        later = bool(self._written) and written > self._written
        if uptime is None or not 0 <= uptime <= MOST_UPTIME:
            self._written = written or self._written
            return later and self.known is None
        new, known = Start(at - uptime, at - uptime + offset, at), self.known
        restarted = known is not None and not same and _restarted(known, new, uptime)
        self.known = new if known is None or restarted else _corrected(known, new)
        self._written = written or ("" if restarted else self._written)
        return restarted


def _restarted(known: Start, new: Start, uptime: float) -> bool:
    """Tell whether this is a later start than the one known, which has shown life since.

    It began after the last sign of life; and that is sure when it has been up for less time than has passed since, or
    when it began later by both our clocks.
    """
    passed = new.alive - known.alive
    later = min(new.monotonic - known.monotonic, new.wall - known.wall)
    return uptime - SLACK_SECONDS <= passed and (uptime + 1.0 < passed or later > MOVED_SECONDS)


def _corrected(known: Start, new: Start) -> Start:
    """The same start, as the clocks of now have it: a clock of ours may have been set, or the machine slept."""
    by_monotonic = abs(new.monotonic - known.monotonic) <= MOVED_SECONDS
    by_wall = abs(new.wall - known.wall) <= MOVED_SECONDS
    if by_monotonic and not by_wall:
        return Start(known.monotonic, new.wall, new.alive)  # our wall clock was set
    if by_wall and not by_monotonic:
        return Start(new.monotonic, known.wall, new.alive)  # our machine slept
    return replace(known, alive=new.alive)  # jitter; or the PBX's clock was set, which moves no start
