"""`python -m benchmarks [NAME ...] [--memory full] [--write]`: run benchmarks, print their tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from benchmarks import codec, cost, events, fleet, memory, poll, start, strangers, web
from benchmarks.report import Table, machine, replace

NAMES = ("poll", "codec", "events", "memory", "fleet", "cost", "start", "strangers", "web")


def main() -> None:
    """Run those named, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--memory", choices=("short", "full"), default="short", help="how long the memory run is")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="of: poll codec events memory fleet cost start strangers web"
    )
    chosen = parser.parse_args()
    known: dict[str, Callable[[], Sequence[Table]]] = {
        "poll": poll.run,
        "codec": codec.run,
        "events": events.run,
        "memory": lambda: memory.run(full=chosen.memory == "full"),
        "fleet": fleet.run,
        "cost": cost.run,
        "start": start.run,
        "strangers": strangers.run,
        "web": web.run,
    }
    unknown = [name for name in chosen.names if name not in known]
    if unknown:
        parser.error(f"found {', '.join(unknown)}, expected some of {', '.join(known)}")
    for name in chosen.names or known:
        told = machine()
        tables = "\n\n".join(str(table) for table in known[name]())
        text = f"{told}\n\n{tables}"
        sys.stdout.write(f"## {name}\n\n{text}\n\n")
        sys.stdout.flush()
        if chosen.write:
            replace(name, text)


if __name__ == "__main__":
    main()
