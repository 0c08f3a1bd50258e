"""A fleet for one exporter: fifty simulated PBXs, real ones, one that hangs, one that refuses; HTTPS and a password."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import bcrypt
import yaml

from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.asterisk_server import free_port
from tests.support.certificates import Authority
from tests.support.exporter_process import ExporterProcess, Scrape, exporter

SIMULATED = 50
USER, PASSWORD = "prometheus", "plAnted-web-password-71"
# The weakest bcrypt knows: the tests are not about its cost.
_BCRYPT_ROUNDS = 4
_REQUEST_SECONDS = 20.0


def simulated_secret(number: int) -> str:
    """The AMI secret of a simulated PBX."""
    return f"plAnted-fleet-{number}-secret"


@dataclass
class Fleet:
    """What is watched, and the files that say so. `write` after a change of `targets`."""

    folder: Path
    pbxs: dict[str, SimulatedPbx] = field(default_factory=dict)
    targets: dict[str, dict[str, object]] = field(default_factory=dict)
    authority: Authority = field(default_factory=Authority)

    @property
    def config_file(self) -> Path:
        """The exporter's configuration."""
        return self.folder / "config.yml"

    @property
    def web_file(self) -> Path:
        """Its web.config.file."""
        return self.folder / "web.yml"

    @property
    def ca_file(self) -> Path:
        """The authority of its certificate."""
        return self.folder / "ca.pem"

    def write(self) -> None:
        """Write the configuration as the fleet is now, at once and whole."""
        document = {"defaults": {"username": "demo", "timeout": "1500ms"}, "targets": self.targets}
        replace(self.config_file, yaml.safe_dump(document, sort_keys=False))

    def write_web(self) -> None:
        """Write the web configuration, the authority and a first certificate."""
        self.ca_file.write_text(self.authority.pem)
        self.renew_certificate()
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
        tls = {"cert_file": "web.crt", "key_file": "web.key"}
        self.web_file.write_text(yaml.safe_dump({"tls_server_config": tls, "basic_auth_users": {USER: hashed}}))

    def renew_certificate(self) -> bytes:
        """Put a new certificate in place, as certbot does: one file after the other. Returns it as DER."""
        pair = self.authority.issue("localhost")
        replace(self.folder / "web.crt", pair.cert)
        replace(self.folder / "web.key", pair.key)
        return ssl.PEM_cert_to_DER_cert(pair.cert)

    def add_simulated(self, number: int) -> None:
        """Start one PBX with a small company in it; its secret is told in one of the three ways."""
        name = f"sim{number:02}"
        secret = simulated_secret(number)
        settings = DemoSettings(endpoints=4, queues=1, seed=number + 1, traffic=0.3, warmup=20.0)
        pbx = SimulatedPbx(settings, secret=secret)
        pbx.start()
        self.pbxs[name] = pbx
        self.targets[name] = {
            "address": f"127.0.0.1:{pbx.port}",
            "labels": {"site": ("berlin", "riga", "porto")[number % 3]},
            **self._told(name, secret, number),
        }

    def environ(self) -> dict[str, str]:
        """The variables that the configuration names."""
        return {f"FLEET_{number}": simulated_secret(number) for number in range(1, SIMULATED, 3)}

    def _told(self, name: str, secret: str, number: int) -> dict[str, str]:
        if number % 3 == 0:
            (self.folder / f"{name}.secret").write_text(f"{secret}\n")
            return {"secret_file": f"{name}.secret"}
        return {"secret_env": f"FLEET_{number}"} if number % 3 == 1 else {"secret": secret}

    def stop(self) -> None:
        """End every simulated PBX."""
        for pbx in self.pbxs.values():
            pbx.stop()


def replace(path: Path, text: str) -> None:
    """Write a file as a careful program does: beside it, then in its place."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


@contextlib.contextmanager
def hanging_pbx() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def make_fleet(folder: Path, simulated: int = SIMULATED) -> Iterator[Fleet]:
    """Simulated PBXs, one that hangs and one that refuses, all files written."""
    folder.mkdir(parents=True, exist_ok=True)
    fleet = Fleet(folder)
    with hanging_pbx() as hanging:
        try:
            for number in range(simulated):
                fleet.add_simulated(number)
            fleet.targets["hanging"] = {"address": f"127.0.0.1:{hanging}", "secret": "plAnted-hanging-72"}
            fleet.targets["refusing"] = {
                "address": f"127.0.0.1:{free_port('127.0.0.1')}",
                "secret": "plAnted-refusing-73",
            }
            fleet.write()
            fleet.write_web()
            yield fleet
        finally:
            fleet.stop()


@contextlib.contextmanager
def watching(fleet: Fleet, *flags: str, environ: Mapping[str, str] | None = None) -> Iterator[ExporterProcess]:
    """An exporter that watches the fleet, over HTTPS with a password."""
    files = ("--config.file", str(fleet.config_file), "--web.config.file", str(fleet.web_file))
    with exporter(*files, *flags, environ={**fleet.environ(), **(environ or {})}) as running:
        yield running


@dataclass
class Client:
    """One HTTPS connection after the other, or one that is kept."""

    fleet: Fleet
    port: int
    kept: http.client.HTTPSConnection | None = None

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that trusts the fleet's authority and nobody else."""
        context = ssl.create_default_context(cafile=str(self.fleet.ca_file))
        return http.client.HTTPSConnection("localhost", self.port, timeout=_REQUEST_SECONDS, context=context)

    def get(self, path: str, method: str = "GET", *, keep: bool = False) -> Scrape:
        """One request with the password."""
        connection = self.kept or self.connect()
        self.kept = connection if keep else None
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        connection.request(method, path, headers={"Authorization": f"Basic {token}"})
        with connection.getresponse() as response:
            found = Scrape(response.status, response.read().decode(), dict(response.getheaders()))
        if not keep:
            connection.close()
        return found

    def json(self, path: str) -> object:
        """One answer, read as JSON."""
        return json.loads(self.get(path).body)

    def certificate(self) -> bytes | None:
        """The certificate the server shows a new connection, as DER."""
        connection = self.connect()
        connection.connect()
        try:
            assert isinstance(connection.sock, ssl.SSLSocket)
            return connection.sock.getpeercert(binary_form=True)
        finally:
            connection.close()


class Load:
    """Threads that scrape one target after the other until told to stop, and keep what went wrong."""

    def __init__(self, fleet: Fleet, port: int, names: list[str], threads: int = 3) -> None:
        self.scrapes = 0
        self.failures: list[str] = []
        self._fleet, self._port, self._names = fleet, port, names
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[index]) for index in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_REQUEST_SECONDS)

    def wait(self, more: int, seconds: float = 30.0) -> None:
        """Wait until so many more scrapes have ended."""
        goal, deadline = self.scrapes + more, time.monotonic() + seconds
        while self.scrapes < goal:
            assert time.monotonic() < deadline, f"{self.scrapes} scrapes, {goal} expected; {self.failures}"
            time.sleep(0.01)

    def _run(self, index: int) -> None:
        # The first thread keeps its connection, as Prometheus does; the others shake hands each time.
        client = Client(self._fleet, self._port)
        turn = index
        while not self._stop.is_set():
            name = self._names[turn % len(self._names)]
            turn += 1
            try:
                scrape = client.get(f"/probe?target={name}&collect[]=core", keep=index == 0)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{name}: {error!r}")
                if client.kept is not None:
                    client.kept.close()
                client.kept = None
            else:
                if scrape.status != http.client.OK or scrape.value("asterisk_up") != 1:
                    self.failures.append(f"{name}: HTTP {scrape.status}, up {scrape.value('asterisk_up')}")
            self.scrapes += 1
            self._stop.wait(0.01)
        if client.kept is not None:
            client.kept.close()


def process_arguments(pid: int) -> str:
    """What `ps` shows of a process: everybody on the host may read it."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
