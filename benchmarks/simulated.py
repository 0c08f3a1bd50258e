"""Simulated PBXs as a process: prints their ports, then obeys lines on its standard input.

flood RATE TOTAL   every PBX plays so many events at that rate a second; answers "begun"
wait               answers "NAME:COUNT ..." of one PBX's events when all have been played
"""

from __future__ import annotations

import argparse
import sys
import time

from ami_exporter.demo.simulation import DemoSettings
from tests.support.flooding_pbx import Flood, FloodingPbx


def main() -> None:
    """Run until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--channels", type=int, default=0)
    parser.add_argument("--endpoints", type=int, default=60)
    chosen = parser.parse_args()
    still = DemoSettings(channels=chosen.channels, endpoints=chosen.endpoints, traffic=0, warmup=0)
    pbxs = [FloodingPbx(still) for _ in range(chosen.count)]
    _say(" ".join(str(pbx.start()) for pbx in pbxs))
    floods: list[Flood] = []
    for line in sys.stdin:
        command, *numbers = line.split()
        if command == "flood":
            floods = [pbx.flood(float(numbers[0]), int(numbers[1])) for pbx in pbxs]
            _say("begun")
        else:
            while not all(flood.finished for flood in floods):
                time.sleep(0.01)
            _say(" ".join(f"{name}:{count}" for name, count in sorted(floods[0].sent.items())))


def _say(answer: str) -> None:
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
