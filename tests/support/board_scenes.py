"""What the boards are drawn over: one PBX, two alike, a fleet of 30 with trouble, one that died, a quiet night.

`python -m tests.support.board_scenes FOLDER` runs all of it until Ctrl-C: simulated PBXs, one exporter and a real
Prometheus with this repository's rules. Each scene is a job: `job="fleet"` is the fleet. With `--real` it runs one real
Asterisk 22 under traffic instead, as `job="real"`.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.demo.simulated_pbx import CANARY_USER, COMMAND_USER
from tests.support.asterisk_root import provide_roots
from tests.support.asterisk_server import free_port
from tests.support.exporter_process import exporter
from tests.support.fleet import hanging_pbx
from tests.support.machine import provide_program
from tests.support.planted import AMI_SECRETS
from tests.support.prometheus_server import PrometheusServer, prometheus_server
from tests.support.rich_pbx import fill, rich_pbx
from tests.support.rules import ROOT
from tests.support.traffic import Traffic

SITES = ("berlin", "porto", "riga")
FLAPS_SECONDS = 100.0
DIES_AFTER_SECONDS = 240.0
REAL_CALLS, REAL_RATE = 60, 1.0
FEW = User("few", "few", frozenset({"system"}), frozenset({"reporting"}))

_PROMETHEUS = """
global: {{scrape_interval: 15s, scrape_timeout: 10s, evaluation_interval: 15s}}
rule_files: [{rules}/*.yml]
scrape_configs:
  - job_name: scenes
    metrics_path: /probe
    http_sd_configs: [{{url: "http://127.0.0.1:{port}/sd", refresh_interval: 5s}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__address__], target_label: instance}}
      - {{source_labels: [scene], target_label: job}}
      - {{action: labeldrop, regex: scene}}
      - {{target_label: __address__, replacement: "127.0.0.1:{port}"}}
  - job_name: ami-exporter
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@dataclass
class Scenes:
    """PBXs and the exporter's targets of all scenes. Leave it with `stop`."""

    targets: dict[str, dict[str, object]] = field(default_factory=dict)
    _pbxs: list[SimulatedPbx] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def add(
        self,
        scene: str,
        name: str,
        settings: DemoSettings,
        *,
        site: str = "",
        users: Sequence[User] = (),
        **target: object,
    ) -> SimulatedPbx:
        """Start a simulated PBX and watch it."""
        pbx = SimulatedPbx(settings, users=users)
        pbx.start()
        self._pbxs.append(pbx)
        self.watch(scene, name, pbx.port, site=site, **target)
        return pbx

    def watch(self, scene: str, name: str, port: int, *, site: str = "", **target: object) -> None:
        """Make a port on loopback a target."""
        labels = {"scene": scene, **({"site": site} if site else {})}
        self.targets[name] = {"address": f"127.0.0.1:{port}", "labels": labels, **target}

    def flap(self, pbx: SimulatedPbx) -> None:
        """Stop and start a PBX again and again."""
        self._do(lambda: self._flap(pbx))

    def _flap(self, pbx: SimulatedPbx) -> None:
        while not self._ended.wait(FLAPS_SECONDS):
            pbx.stop()
            if self._ended.wait(FLAPS_SECONDS / 2):
                return
            pbx.start()

    def kill_later(self, pbx: SimulatedPbx) -> None:
        """Stop a PBX after some minutes, for good."""
        self._do(lambda: None if self._ended.wait(DIES_AFTER_SECONDS) else pbx.stop())

    def _do(self, job: object) -> None:
        assert callable(job)
        thread = threading.Thread(target=job, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """End everything."""
        self._ended.set()
        for thread in self._threads:
            thread.join(10)
        for pbx in self._pbxs:
            pbx.stop()


def one(scenes: Scenes) -> None:
    """One demo with all that can be configured: limits, names, destinations, tenants, canary calls, all collectors."""
    trunks = [
        {"name": name, "match": f"PJSIP/{name}", "registration": name, "channel_limit": 30}
        for name in ("telco-a", "telco-b")
    ]
    trunks.append({"name": "4940", "match": "IAX2/4940"})
    names = {"queue": {"sales": "Sales Berlin"}}
    optional = {
        "voicemail": {"enabled": True, "min_interval": "30s"},
        "taskprocessors": {"enabled": True},
        "queue_members": {"enabled": True},
    }
    caller = {"username": CANARY_USER, "secret": "demo"}
    canaries = {
        trunk: {"channel": f"PJSIP/+49301234560@{trunk}", "interval": "5m", "audio": "rtp", "user": caller}
        for trunk in ("telco-a", "telco-b")
    }
    scenes.add(
        "one",
        "4711",
        DemoSettings(),
        trunks=trunks,
        names=names,
        collectors=optional,
        command_user={"username": COMMAND_USER, "secret": "demo"},
        canaries=canaries,
        destinations={"emergency": ["112"], "international": ["00"], "premium": ["0900"]},
        dids={"6003": "Service"},
        tenants={"from": "AccountCode", "map": {"acme": "Acme", "globex": "Globex"}},
    )


def pair(scenes: Scenes) -> None:
    """Two PBXs whose queues, trunks and phones have the same names."""
    for number, name in enumerate(("hamburg", "bremen")):
        scenes.add("pair", name, DemoSettings(seed=20 + number, traffic=1 - number * 0.6))


def fleet(scenes: Scenes, hanging: int, size: int = 30) -> None:
    """PBXs at three sites: one down, one with a wrong password, one that flaps, one silent, one with few rights."""
    places = [(f"{SITES[number % 3]}-pbx{number // 3 + 1:02}", SITES[number % 3]) for number in range(size - 1)]
    for number, (name, site) in enumerate([*places, ("2001", "riga")]):
        settings = DemoSettings(endpoints=12 + number % 5 * 8, queues=2 + number % 3, seed=100 + number, traffic=0.3)
        match number:
            case 3:
                scenes.watch("fleet", name, free_port("127.0.0.1"), site=site)
            case 7:
                scenes.add("fleet", name, settings, site=site, secret="not-this")
            case 11:
                scenes.flap(scenes.add("fleet", name, settings, site=site))
            case 16:
                scenes.watch("fleet", name, hanging, site=site)
            case 20:
                scenes.add("fleet", name, settings, site=site, users=[FEW], username=FEW.name, secret=FEW.secret)
            case _:
                scenes.add("fleet", name, settings, site=site)


def dead(scenes: Scenes) -> None:
    """A PBX alone that dies some minutes after the start."""
    scenes.kill_later(scenes.add("dead", "leipzig", DemoSettings(seed=70)))


def quiet(scenes: Scenes) -> None:
    """A night in which nothing happens."""
    scenes.add("quiet", "night", DemoSettings(seed=80, traffic=0.0))


@contextlib.contextmanager
def simulated(folder: Path, program: Path) -> Iterator[PrometheusServer]:
    """All scenes of simulated PBXs."""
    scenes = Scenes()
    with hanging_pbx() as hanging:
        try:
            for begin in (one, pair, dead, quiet):
                begin(scenes)
            fleet(scenes, hanging)
            with _watched(folder, program, scenes) as server:
                yield server
        finally:
            scenes.stop()


@contextlib.contextmanager
def real(folder: Path, program: Path) -> Iterator[PrometheusServer]:
    """A real Asterisk 22 with phones and providers, and calls of every kind all the time."""
    root = provide_roots((22,))[22]
    sipp = provide_program("sipp", "sip-tester")
    with rich_pbx(root, root, folder / "asterisk", sipp) as pbx:
        fill(pbx)
        scenes = Scenes()
        user = {"username": "all", "secret": AMI_SECRETS["all"]}
        collectors = {"queue_members": {"enabled": True}, "voicemail": {"enabled": True}}
        scenes.watch("real", "asterisk22", pbx.server.ami_port, collectors=collectors, **user)
        ended = threading.Event()

        def call() -> None:
            while not ended.is_set():
                Traffic(pbx).run(REAL_CALLS, REAL_RATE)

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        with _watched(folder, program, scenes) as server:
            yield server
        ended.set()
        thread.join(120)


@contextlib.contextmanager
def _watched(folder: Path, program: Path, scenes: Scenes) -> Iterator[PrometheusServer]:
    """One exporter and one Prometheus for all targets."""
    config = folder / "ami-exporter.yml"
    document = {"defaults": {"username": "demo", "secret": "demo", "timeout": "9s"}, "targets": scenes.targets}
    config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    with exporter("--config.file", str(config)) as process:
        settings = _PROMETHEUS.format(port=process.port, rules=ROOT / "prometheus" / "rules")
        with prometheus_server(program, folder, settings) as server:
            yield server


def main(arguments: Sequence[str]) -> int:
    """Run until Ctrl-C and say where Prometheus is."""
    folders = [Path(argument) for argument in arguments if argument != "--real"]
    if len(folders) != 1:
        sys.stderr.write("usage: python -m tests.support.board_scenes [--real] FOLDER\n")
        return 2
    scenes = real if "--real" in arguments else simulated
    folders[0].mkdir(parents=True, exist_ok=True)
    program = provide_program("prometheus", "prometheus")
    # A shell starts what runs in the background so that Ctrl-C is not heard.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with scenes(folders[0], program) as server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
