"""What a run costs: wall clock, and the CPU and memory of other processes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Longest time that a subject may go without asking.
AGAIN_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Taken:
    """One run: seconds of wall clock, CPU seconds of each watched process, and what the run returned."""

    seconds: float
    cpu: Mapping[str, float]
    size: int


def cpu_seconds(pid: int) -> float:
    """CPU seconds a process has spent so far, threads that ended included: the kernel's own clock of the process."""
    return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of linux/posix-timers.h, nanoseconds


def resident(pid: int) -> float:
    """Memory of a process, MB (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise LookupError(f"process {pid} has no memory any more")


def alternate(
    subjects: Mapping[str, Callable[[], int]], rounds: int, pids: Mapping[str, int]
) -> dict[str, list[Taken]]:
    """Run every subject once a round, in turn, so that what disturbs the machine disturbs all of them alike.

    A first round is not counted: it connects and warms up. A run that returned 0 asked nobody: it is made again a
    little later. pids: name → process whose CPU is read around each run.
    """
    taken: dict[str, list[Taken]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, run in subjects.items():
            one = _run(run, pids)
            until = time.monotonic() + AGAIN_SECONDS
            while not one.size:
                if time.monotonic() > until:
                    raise TimeoutError(f"{name} asked nobody for {AGAIN_SECONDS} s")
                time.sleep(0.5)
                one = _run(run, pids)
            if number:
                taken[name].append(one)
    return taken


def _run(run: Callable[[], int], pids: Mapping[str, int]) -> Taken:
    before = {one: cpu_seconds(pid) for one, pid in pids.items()}
    begin = time.perf_counter()
    size = run()
    seconds = time.perf_counter() - begin
    return Taken(seconds, {one: cpu_seconds(pid) - before[one] for one, pid in pids.items()}, size)


def median(values: Sequence[float]) -> float:
    """Middle value."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
