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
ROOMS = ("ami", "collectors", "config", "demo", "web")
MODULES = {".".join(path.relative_to(REPO).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
NET = {"socket", "ssl", "select", "selectors", "asyncio", "http", "urllib", "hypercorn"}

# Room → what of ours it may import beside itself. The leaves (no I/O, no state of their own) are open to all.
LEAVES = {"ami_exporter", "ami_exporter.faults", "ami_exporter.formats"}
MAY_KNOW: dict[str, set[str]] = {
    "ami": set(),
    "collectors": {"ami_exporter.ami.actions", "ami_exporter.ami.message", "ami_exporter.config.model"},
    "config": LEAVES,
    "demo": set(),
    "web": LEAVES | {"ami_exporter.config.yamlnodes"},  # YAML with the line of each key, for its own file
}
# Room → what of Python's and others' it must not import.
MUST_NOT_USE: dict[str, set[str]] = {
    "ami": {"http", "urllib", "yaml", "pydantic", "prometheus_client"},
    "collectors": NET | {"time", "threading", "logging", "os", "pathlib", "random", "yaml", "prometheus_client"},
    "config": NET | {"threading", "time", "prometheus_client"},
    "demo": {"yaml", "pydantic", "prometheus_client", "hypercorn"},
    "web": {"yaml", "prometheus_client"},
}
# The codec and its messages are bytes in, messages out.
WITHOUT_IO = ("ami.codec", "ami.message", "ami.shapes", "ami.actions", "ami.exchange", "ami.login", "plan", "poll")


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


def in_room(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_what_it_may(room: str) -> None:
    strangers = {
        f"{path.relative_to(REPO)} imports {name}"
        for path in in_room(room)
        for name in imported(path)
        if name.split(".")[0] == "ami_exporter"
        and not f"{name}.".startswith(f"ami_exporter.{room}.")
        and name not in MAY_KNOW[room]
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


def test_imports_walk_one_way() -> None:
    """No cycle among modules, type-checking and late imports included."""
    graph = {name: {other for other in imported(path) if other in MODULES} for name, path in MODULES.items()}
    TopologicalSorter({name: others - {name} for name, others in graph.items()}).prepare()


def test_every_path_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w+)`", ARCHITECTURE.read_text(encoding="utf-8")))
    missing = {name for name in named if not (REPO / name).exists() and not (PACKAGE / name).exists()}
    assert missing == set()


def test_the_architecture_names_every_joining_module() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    joining = {path.name for path in MODULES.values() if room_of(path) == "" and path.stem != "__init__"}
    rooms = {f"{path.name}/" for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    unnamed = {name for name in joining | rooms if f"`{name}`" not in text and f"`ami_exporter/{name}`" not in text}
    assert unnamed == set()
