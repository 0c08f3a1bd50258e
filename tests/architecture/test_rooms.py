"""The house keeps its rooms: who may know whom, as docs/architecture.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PACKAGE = REPO / "ami_exporter"
ARCHITECTURE = REPO / "docs" / "architecture.md"
OURS = "ami_exporter"
MODULES = {".".join(path.relative_to(REPO).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
NET = {"socket", "ssl", "select", "selectors", "asyncio", "http", "urllib", "h11"}

# What the configuration says, checked.
SETTINGS = {f"config.{name}" for name in ("ami_user", "canary_settings", "custom_settings", "target_settings")}
# Room → which modules and rooms of ours it may import beside itself. `cli.py` is no room's business.
MAY_KNOW: dict[str, set[str]] = {
    "ami": set(),
    "collectors": {"ami.actions", "ami.concluded", "ami.message", "ami.own_calls", *SETTINGS},
    "commands": {"", "ami", "collectors", "config", "exposition", "pbx", "service", "web", "webconfig", "demo"},
    "config": set(),
    "demo": set(),
    "exposition": {"collectors.declarations"},
    "pbx": {"ami", "collectors", *SETTINGS, "exposition.caps", "exposition.own_metrics", "exposition.writer"},
    "service": {"", "ami.actions", "collectors.declarations", "config", "exposition", "pbx", "web.views"},
    "web": {"", "config.faults", "exposition.formats", "webconfig"},
    "webconfig": {"config.access", "config.faults", "config.yamlnodes"},  # YAML with lines
}
ROOMS = tuple(MAY_KNOW)
# Room → what of Python's and others' it must not import.
MUST_NOT_USE: dict[str, set[str]] = {
    "ami": {"http", "urllib", "yaml", "prometheus_client"},
    "collectors": NET | {"time", "threading", "logging", "os", "pathlib", "random", "yaml", "prometheus_client"},
    "commands": {"prometheus_client"},
    "config": NET | {"threading", "time", "prometheus_client"},
    "demo": {"yaml", "prometheus_client", "h11"},
    "exposition": NET | {"threading", "time", "logging", "os", "yaml", "prometheus_client"},
    "pbx": NET - {"select"} | {"yaml", "prometheus_client"},
    "service": NET | {"yaml"},
    "web": {"yaml", "prometheus_client", "asyncio"},
    "webconfig": (NET - {"ssl"}) | {"yaml", "prometheus_client"},
}
# The codec and its messages are bytes in, messages out.
WITHOUT_IO = (
    "ami.codec",
    "ami.message",
    "ami.shapes",
    "ami.actions",
    "ami.exchange",
    "ami.login",
    "ami.originate",
    "ami.destinations",
    "ami.cli_commands",
    "ami.concluded",
    "ami.old.channels",
    "ami.old.legs",
    "ami.old.queues",
    "ami.old.translator",
    "pbx.trunk_context",
    "pbx.plan",
    "pbx.poll_run",
    "pbx.event_counters",
    "pbx.canary_watch",
    "pbx.canary_ledger",
)


def imported(path: Path) -> Iterator[str]:
    """Absolute names of everything a module imports, wherever in it the import stands."""
    package = path.relative_to(REPO).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            submodules = [f"{module}.{alias.name}" for alias in node.names if f"{module}.{alias.name}" in MODULES]
            yield from submodules or [module]


def room_of(path: Path) -> str:
    """The room a module stands in; "" for those that join the rooms."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def may_know(room: str, name: str) -> bool:
    """Whether a module of the room may import this one of ours: the package's version ("") is open where it says so."""
    inside = name.removeprefix(OURS).removeprefix(".")
    return any(inside == open_ or (open_ and inside.startswith(f"{open_}.")) for open_ in {room} | MAY_KNOW[room])


def in_room(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


def test_each_room_has_its_walls() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS) == set(MUST_NOT_USE)


def test_the_front_door_is_small() -> None:
    """Beside the rooms stand only what joins them, and what others call by name."""
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "api", "cli"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_what_it_may(room: str) -> None:
    strangers = {
        f"{path.relative_to(REPO)} imports {name}"
        for path in in_room(room)
        for name in imported(path)
        if name.split(".")[0] == OURS and not may_know(room, name)
    }
    assert strangers == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_no_library_that_is_not_its_business(room: str) -> None:
    used = {
        f"{path.relative_to(REPO)} imports {name}"
        for path in in_room(room)
        for name in imported(path)
        if name.split(".")[0] in MUST_NOT_USE[room]
    }
    assert used == set()


@pytest.mark.parametrize("module", WITHOUT_IO)
def test_what_is_pure_opens_nothing(module: str) -> None:
    used = {name for name in imported(MODULES[f"ami_exporter.{module}"]) if name.split(".")[0] in NET | {"time"}}
    assert used == set()


def test_no_collector_reads_another() -> None:
    """Subjects share words, fields and lists; only what runs them all (the registry) names them."""
    subjects = {
        name for name, path in MODULES.items() if room_of(path) == "collectors" and "\nCOLLECTOR" in path.read_text()
    }
    found = {f"{name} imports {other}" for name in subjects for other in imported(MODULES[name]) if other in subjects}
    assert found == set()


def test_nothing_imports_the_command_line() -> None:
    commands = {"ami_exporter.cli", "ami_exporter.__main__"}
    found = {name for name, path in MODULES.items() if commands & set(imported(path))}
    assert found == {"ami_exporter.__main__"}


def test_no_public_class_has_the_name_of_another() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in MODULES.values()]
    names = [node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    public = [name for name in names if not name.startswith("_")]
    assert {name for name in public if public.count(name) > 1} == set()


def test_imports_walk_one_way() -> None:
    """No cycle among modules, type-checking and late imports included."""
    graph = {name: {other for other in imported(path) if other in MODULES} for name, path in MODULES.items()}
    TopologicalSorter({name: others - {name} for name, others in graph.items()}).prepare()


def test_every_path_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w+)`", ARCHITECTURE.read_text(encoding="utf-8")))
    missing = {name for name in named if not (REPO / name).exists() and not (PACKAGE / name).exists()}
    assert missing == set()


@pytest.mark.parametrize("room", ["", "commands", "exposition", "pbx", "service"])
def test_the_architecture_names_every_module_that_joins(room: str) -> None:
    """Those rooms' files are steps of the walks; in the others a folder listing tells enough."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    steps = {path.relative_to(PACKAGE) for path in (PACKAGE / room).glob("*.py") if path.stem != "__init__"}
    assert {str(step) for step in steps if f"`{step}`" not in text} == set()


def test_the_architecture_names_every_room() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert {room for room in ROOMS if f"`ami_exporter/{room}/`" not in text} == set()
