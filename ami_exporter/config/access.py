"""Explains files that this process may not read, and finds the source of secrets that systemd hands over."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

HANDED_OVER: Final = re.compile(r"/run/credentials/ami-exporter\.service/ami_([^/]+)")
"""Where the service finds a secret (deploy/systemd/ami-exporter.service: LoadCredential=ami:…)."""
SECRETS: Final = Path("/etc/ami-exporter/secrets")
"""Where systemd takes it from. Commands that root runs outside the unit read it there."""


def credential_source(name: str) -> Path | None:
    """Return the source of the file that systemd hands to the service under this name; None for other files."""
    found = HANDED_OVER.fullmatch(name)
    return SECRETS / found[1] if found else None


def source_advice(source: Path) -> str:
    """Return the advice for a secret whose source systemd cannot read."""
    return f"; write it as root: install -m 600 /dev/stdin {source}, then start the service or run this as root"


def why_unreadable(error: OSError, path: Path) -> str:
    """Return the reason in lower case; without permission also the file's owner, the reader, and what to do."""
    reason = (error.strerror or type(error).__name__).lower()
    if not isinstance(error, PermissionError):
        return reason
    try:
        about = path.stat()
    except OSError:  # the folder cannot be read either
        return reason
    reader = _name(lambda number: pwd.getpwuid(number).pw_name, os.geteuid())
    owner = _name(lambda number: pwd.getpwuid(number).pw_name, about.st_uid)
    group = _name(lambda number: grp.getgrgid(number).gr_name, about.st_gid)
    mode = f"{stat.S_IMODE(about.st_mode):o}"
    return (
        f"{reason} for the user {reader} (the file belongs to {owner}:{group}, mode {mode}); "
        f"give it a group of {reader} with chgrp, and mode 640"
    )


def _name(look_up: Callable[[int], str], number: int) -> str:
    try:
        return look_up(number)
    except KeyError:
        return str(number)
