"""Series over time, written for people: `10m 1, 5m 0, 1` is 1 for ten minutes, 0 for five, then 1 to the end.

A phase is a number; `+6/m` (rises so much a minute, whole numbers as counters do); `every 15m` (the time of the last
multiple, as a timestamp has it); `healthy` (what the series usually does), `frozen` (keeps its value), `reset` (back
to 0 and on as usual), `absent`; `down`, `unscraped`: what the exporter answers of a PBX that is down, or Prometheus
knows of an exporter that is down.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_RISE = re.compile(r"\+(?P<count>\d+(\.\d+)?)/(?P<unit>[dhms])")

# None: no sample, the series is not in the scrape.
Values = list[float | None]
_WHEN_DOWN = {"asterisk_up": 0.0, "asterisk_scrape_collector_success": 0.0, "ami_exporter_link_up": 0.0, "up": 1.0}


@dataclass(frozen=True)
class Clock:
    """How long a scenario lasts and how often it is scraped, in seconds."""

    lasts: int
    step: int

    @property
    def samples(self) -> int:
        return self.lasts // self.step + 1


def seconds(written: str) -> int:
    """Seconds of 1h30m, 45s, 0."""
    parts = re.findall(r"(\d+)([dhms])", written)
    if "".join(number + unit for number, unit in parts) != written and written != "0":
        raise ValueError(f"{written!r} is no duration, expected such as 90s, 10m, 1h30m")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Series:
    """What a phase needs to know.

    healthy: samples of a healthy PBX, None when it has no such series; slower: counts rise so much more slowly.
    """

    name: str
    counts: bool
    clock: Clock
    healthy: Values | None = None
    slower: int = 1

    def usual(self, index: int) -> float | None:
        if self.healthy is None:
            raise ValueError(f"{self.name}: a healthy PBX has no such series")
        return self.healthy[index]

    def since(self, before: Values) -> float:
        """A count that began anew at the first sample that is not the healthy one."""
        begin = next((n for n, value in enumerate(before) if value != self.usual(n)), len(before))
        return (self.usual(len(before)) or 0.0) - (self.usual(begin) or 0.0)


def values(written: str, series: Series, late: int = 0) -> Values:
    """Samples of a series, one a step. late: seconds by which the first phase lasts longer."""
    result: Values = []
    phases = [phase.strip() for phase in written.split(",")]
    for number, phase in enumerate(phases):
        end, what = series.clock.samples, phase
        if number + 1 < len(phases):
            lasts, _, what = phase.partition(" ")
            end = min(end, len(result) + (seconds(lasts) + (late if number == 0 else 0)) // series.clock.step)
        while len(result) < end:
            result.append(_value(what, series, result))
    return result


def _value(what: str, series: Series, before: Values) -> float | None:
    """The next sample of a phase."""
    last = next((value for value in reversed(before) if value is not None), 0.0)
    words: dict[str, Callable[[], float | None]] = {
        "healthy": lambda: series.usual(len(before)),
        "absent": lambda: None,
        "frozen": lambda: last,
        "unscraped": lambda: 0.0 if series.name == "up" else None,
        "down": lambda: _WHEN_DOWN.get(series.name, last if series.counts else None),
        "reset": lambda: series.since(before),
    }
    if what in words:
        return words[what]()
    if rise := _RISE.fullmatch(what):
        each = float(rise["count"]) * series.clock.step / _SECONDS[rise["unit"]] / series.slower
        # The next whole number: fractions add up over the samples.
        return last + (math.floor(len(before) * each) - math.floor((len(before) - 1) * each) if before else 0)
    if what.startswith("every "):
        every = seconds(what.removeprefix("every "))
        return float(len(before) * series.clock.step // every * every)
    return float(what)


def promtool(samples: Sequence[float | None]) -> str:
    """Write samples as promtool reads them: runs as 1x9, a series that ends as stale."""
    words: list[str] = []
    seen = False
    for value, run in groupby(samples):
        length = len(list(run))
        if value is None:
            if seen:
                words.append("stale")
                length -= 1
            if length:
                words.append(f"_x{length}")
        else:
            words.append(f"{value:.15g}" if length == 1 else f"{value:.15g}x{length - 1}")
        seen = value is not None
    return " ".join(words)
