"""The way in, where Ctrl-C ends: from the first import on it is an exit status and no traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the program; returns its exit status, one of STATUSES in commands/flags.py."""
    try:
        from ami_exporter.commands.run import run

        return run(sys.argv[1:] if argv is None else argv, os.environ if environ is None else environ)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # another one ends what is left of the program
        return 130
