"""SIP phones by SIPp: registrations that succeed, fail or go stale, and phones that behave as a scenario says."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parent.parent / "real" / "sipp"

_REGISTER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Registration:
    """One attempt: the account, its password, and the port where its phone would listen (nobody needs to)."""

    user: str
    secret: str
    contact_port: int = 5999


def register(sipp: Path, folder: Path, local: str, server: str, attempts: Sequence[Registration]) -> None:
    """Send a REGISTER with credentials for each attempt, from `local` to `server` ("address:port"); wait for all."""
    lines = (
        f"{attempt.user};[authentication username={attempt.user} password={attempt.secret}];{attempt.contact_port}\n"
        for attempt in attempts
    )
    accounts = folder / "accounts.csv"
    accounts.write_text("SEQUENTIAL\n" + "".join(lines))
    command = [str(sipp), server, "-sf", str(SCENARIOS / "register.xml"), "-inf", str(accounts), "-i", local]
    subprocess.run(
        [*command, "-m", str(len(attempts)), "-r", "50", "-nostdin", "-timeout", f"{_REGISTER_SECONDS}s"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_REGISTER_SECONDS + 5,
        check=True,
    )


@contextlib.contextmanager
def phone(sipp: Path, folder: Path, scenario: str, address: str, port: int) -> Iterator[None]:
    """A phone that behaves as tests/real/sipp/SCENARIO.xml says, for as long as the context lasts."""
    command = ["setpriv", "--pdeathsig", "KILL", str(sipp), "-sf", str(SCENARIOS / f"{scenario}.xml")]
    process = subprocess.Popen(
        [*command, "-i", address, "-p", str(port), "-nostdin"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait(5)
