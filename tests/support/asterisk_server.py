"""One real Asterisk process on loopback: rendered configuration, start, console commands, faults, stop.

A server runs in mount, PID and UTS namespaces of its own and is tied to this process by two parent-death
signals: however a test ends, no mount and no process is left. Start servers from a thread that lives as long
as they do (the main one): the signal is sent when the *thread* that started them ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ami_raw import RawAmi
from tests.support.asterisk_root import AsteriskRoot
from tests.support.machine import HOST_NAME
from tests.support.planted import AMI_SECRETS
from tests.support.tls_files import write_server_certificate

CONFIG_FOLDER = Path(__file__).parent.parent / "real" / "config"

_BOOT_SECONDS = 60.0
_STOP_SECONDS = 5.0
_CLI_SECONDS = 30.0
_POLL_SECONDS = 0.02

# $1 root, $2 the server's folder. `exec` makes Asterisk the first process of its namespace: all end with it.
_START_SCRIPT = f"""set -e
hostname {HOST_NAME}
mount --bind "$2" "$1/srv"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
exec chroot "$1" asterisk -C /srv/etc/asterisk.conf -g -f
"""
_APART = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--"),
)
_FOLDERS = (
    "etc",
    "lib",
    "lib/agi-bin",
    "lib/keys",
    "log",
    "log/cdr-csv",
    "log/cdr-custom",
    "run",
    "spool",
    "spool/voicemail",
    "tls",
)


class ServerFailedError(Exception):
    """A server did not start, answer or stop in time; the message carries the end of its log."""


def free_port(address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that is free on this address now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def own_address() -> str:
    """A loopback address that no other server has: peers tell trunks apart by address."""
    return f"127.{16 + secrets.randbelow(224)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens: AMI, AMI over TLS and HTTP on 127.0.0.1, telephony on an address of its own."""

    address: str = field(default_factory=own_address)
    ami: int = field(default_factory=lambda: free_port("127.0.0.1"))
    ami_tls: int = field(default_factory=lambda: free_port("127.0.0.1"))
    http: int = field(default_factory=lambda: free_port("127.0.0.1"))
    # The address is the server's own, so the well-known ports are free on it.
    pjsip: int = 5060
    sip: int = 5061
    iax: int = 4569


def render(text: str, values: Mapping[str, str]) -> str:
    """Replace each @NAME@; a name without a value is an error (`${...}` is the dialplan's own)."""
    return re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda match: values[match[1]], text)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until the condition holds; TimeoutError names what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(_POLL_SECONDS)


class AsteriskServer:
    """A real Asterisk under test. `start()` returns at once, `wait_booted()` when it takes calls.

    `templates` name folders of tests/real/config; a file in a later folder replaces its namesake in an earlier
    one. `files` maps a path under the server's folder to a template's text, for what is generated.
    """

    def __init__(
        self,
        root: AsteriskRoot,
        folder: Path,
        *,
        templates: Sequence[str] = ("base",),
        values: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        place: Place | None = None,
    ) -> None:
        self.root = root
        self.folder = folder
        self.place = place or Place()
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare(templates, {**self._standard_values(), **(values or {})}, files or {})

    @property
    def major(self) -> int:
        """22 or 16."""
        return self.root.recipe.major

    @property
    def ami_port(self) -> int:
        """Plain AMI, on 127.0.0.1."""
        return self.place.ami

    @property
    def ca_file(self) -> Path:
        """The authority that signed the certificate of AMI over TLS (names: localhost, 127.0.0.1)."""
        return self.folder / "tls" / "ca.pem"

    @property
    def running(self) -> bool:
        """The process is there; it may still be booting or stopped by a signal."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; a server that was stopped keeps its place and its files."""
        if self.running:
            raise ServerFailedError(f"{self.folder}: is running")
        with (self.folder / "log" / "console").open("ab") as console:
            self._process = subprocess.Popen(
                [*_APART, "/bin/sh", "-c", _START_SCRIPT, "sh", str(self.root.path), str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @contextlib.contextmanager
    def booted(self) -> Iterator[AsteriskServer]:
        """Start, wait until it takes calls, and kill it at the end."""
        self.start()
        try:
            self.wait_booted()
            yield self
        finally:
            self.kill()

    def wait_booted(self, seconds: float = _BOOT_SECONDS) -> None:
        """Wait until every module is loaded."""
        deadline = time.monotonic() + seconds
        while not self._try_cli("core waitfullybooted", deadline - time.monotonic()):
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise ServerFailedError(
                    f"Asterisk {self.major} did not start within {seconds} s; its log:\n{self.log()[-3000:]}"
                )
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End it as an administrator would, by force when that takes more than a few seconds."""
        if self.running:
            with contextlib.suppress(ProcessLookupError, ServerFailedError):
                self._signal(signal.SIGCONT)
                self._signal(signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """SIGKILL: the power cut."""
        if self._process is not None:
            # The first process of its namespace takes all others with it, and unshare ends after it.
            with contextlib.suppress(ProcessLookupError, ServerFailedError):
                self._signal(signal.SIGKILL)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(_STOP_SECONDS)

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)
        # The signal stops a process when its main thread is next run; until then all others go on.
        wait_until(self._stands_still, _STOP_SECONDS, "every thread stopped")

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Stop, start again on the same ports, wait until booted."""
        self.stop()
        self.start()
        self.wait_booted()

    def cli(self, command: str, seconds: float = _CLI_SECONDS) -> str:
        """What `asterisk -rx COMMAND` prints: the truth to compare with, without AMI."""
        done = self._run_cli(command, seconds)
        if done.returncode:
            raise ServerFailedError(
                f"asterisk -rx {command!r}: {done.stdout}{done.stderr}; its log:\n{self.log()[-1500:]}"
            )
        return done.stdout

    def ami(self, username: str = "all", *, events: str = "off", seconds: float = 30.0) -> RawAmi:
        """A raw AMI session of one of the planted users."""
        return RawAmi(self.place.ami, username, AMI_SECRETS[username], events=events, seconds=seconds)

    def originate_local(self, calls: int) -> None:
        """Make calls that stay up, two channels each (Local/N@load/n), and wait until all are."""
        before = self.channels()
        with self.ami() as ami:
            for number in range(calls):
                ami.originate(f"Local/{100000 + number}@load/n", Application="Wait", Data="3600", Timeout="60000")
            wait_until(lambda: self.channels() == before + 2 * calls, 60.0, f"{2 * calls} more channels")

    def hang_up_all(self) -> None:
        """End every call and wait until no channel is left."""
        self.cli("channel request hangup all")
        wait_until(lambda: self.channels() == 0, 30.0, "no channel left")

    def channels(self) -> int:
        """How many channels `core show channels count` sees."""
        match = re.search(r"^(\d+) active channels?", self.cli("core show channels count"), re.MULTILINE)
        if match is None:
            raise ServerFailedError("`core show channels count` names no number")
        return int(match[1])

    def log(self) -> str:
        """The server's log (notices, warnings, errors) and what it printed before that was open."""
        files = (self.folder / "log" / name for name in ("console", "full"))
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def processes(self) -> list[int]:
        """The process ids of the server and of what holds its namespaces."""
        if not self.running or self._process is None:
            return []
        return [self._process.pid, *_children(self._process.pid)]

    def _asterisk_pid(self) -> int:
        children = _children(self._process.pid) if self.running and self._process else []
        if not children:
            raise ServerFailedError(f"Asterisk {self.major} is not running; its log:\n{self.log()[-1500:]}")
        return children[0]

    def _stands_still(self) -> bool:
        threads = Path(f"/proc/{self._asterisk_pid()}/task").glob("*/stat")
        try:
            return {thread.read_text().rpartition(")")[2].split()[0] for thread in threads} == {"T"}
        except OSError:  # a thread ended meanwhile
            return False

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self._asterisk_pid(), number)

    def _run_cli(self, command: str, seconds: float) -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", "--target", str(self._asterisk_pid()), "--mount", "--pid", "--root", "--wd=/"]
        return subprocess.run(
            [*inside, "asterisk", "-C", "/srv/etc/asterisk.conf", "-rx", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            encoding="utf-8",
            errors="replace",
        )

    def _try_cli(self, command: str, seconds: float) -> bool:
        # Without the control socket there is no point in starting a console, which costs more than a look.
        if not (self.folder / "run" / "asterisk.ctl").exists():
            return False
        with contextlib.suppress(ServerFailedError, subprocess.TimeoutExpired):
            return self._run_cli(command, max(0.1, seconds)).returncode == 0
        return False

    def _standard_values(self) -> dict[str, str]:
        return {
            "MODULES": self.root.recipe.modules,
            "SYSTEM_NAME": f"real{self.major}",
            "ADDRESS": self.place.address,
            "AMI_PORT": str(self.place.ami),
            "AMI_TLS_PORT": str(self.place.ami_tls),
            "HTTP_PORT": str(self.place.http),
            "PJSIP_PORT": str(self.place.pjsip),
            "SIP_PORT": str(self.place.sip),
            "IAX_PORT": str(self.place.iax),
            **{f"AMI_{name.upper()}": secret for name, secret in AMI_SECRETS.items()},
        }

    def _prepare(self, templates: Sequence[str], values: Mapping[str, str], files: Mapping[str, str]) -> None:
        if (self.folder / "etc").exists():
            shutil.rmtree(self.folder)
        for name in _FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for template in templates:
            for source in sorted((CONFIG_FOLDER / template).iterdir()):
                (self.folder / "etc" / source.name).write_text(render(source.read_text(), values))
        for name, text in files.items():
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(render(text, values))
        write_server_certificate(self.folder / "tls")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
