"""What systemd would run for a unit, without systemd: its user, its secrets handed over, the root as it sees it."""

from __future__ import annotations

import shlex
from configparser import RawConfigParser

from tests.support.debian_root import DebianRoot


def started_by(debian: DebianRoot, unit: str, *further: str) -> list[str]:
    """The command line of the unit's service in this Debian; further: arguments behind its own."""
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.read_string(unit)
    service = parser["Service"]
    user = service["User"]
    handed = service.get("LoadCredential", "")
    if handed:
        name, _, folder = handed.partition(":")
        to = f"/run/credentials/ami-exporter.service/{name}_"
        copy = f'for file in {folder}/*; do install -D -m 400 -o {user} "$file" "{to}$(basename "$file")"; done'
        debian.run("sh", "-ec", f"{copy}; chmod -R a+X /run/credentials")
    as_user = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    mode = "ro" if service["ProtectSystem"] == "strict" else "rw"
    return debian.command(*as_user, *shlex.split(service["ExecStart"].replace("$ARGS", "")), *further, mode=mode)
