"""Every link inside the project leads somewhere, and what the pages name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ami_exporter.commands.flags import COMMANDS
from tests.support.declared import declared
from tests.support.documents import LINK, REPO, anchors, pages, prose
from tests.support.promql import series_of

PAGES = [pytest.param(path, id=str(path.relative_to(REPO))) for path in pages()]
OTHERS_NAMES = {"docs/migration.md", "tests/real/README.md"}  # metrics of other exporters; fixtures
FLAGS = {f"--{flag.name}" for command in COMMANDS.values() for flag in command.flags}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            broken.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(target):
            broken.append(f"{link}: no such heading")
    assert broken == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.id not in OTHERS_NAMES])
def test_metrics_named_exist(page: Path) -> None:
    metrics = declared()
    known = set(metrics) | set(series_of(metrics)) | {"ami_exporter_build_info"}
    named = set(re.findall(r"`((?:asterisk|ami_exporter)_[a-z0-9_]*[a-z0-9])(?:\{[^`]*\}|\s[^`]*)?`", prose(page)))
    unknown = {name for name in named - known if not name.startswith("asterisk_custom") and not is_file(name)}
    assert unknown == set()


def is_file(name: str) -> bool:
    """Whether a word that looks like a metric is a folder of ours."""
    return (REPO / name).exists()


@pytest.mark.parametrize("page", PAGES)
def test_flags_named_exist(page: Path) -> None:
    named = set(
        re.findall(r"--(?:(?:ami|web|config|log)\.[a-z.-]*[a-z]|shard)(?![.*a-z])", page.read_text(encoding="utf-8"))
    )
    assert named - FLAGS == set()


@pytest.mark.parametrize("page", PAGES)
def test_files_named_in_full_exist(page: Path) -> None:
    rooms = r"(?:ami_exporter|docs|grafana|prometheus|deploy|tests|benchmarks)"
    named = re.findall(rf"`({rooms}/[\w./-]+\.(?:py|md|yml|json|conf|service))`", prose(page))
    placeholders = {name for name in named if re.search(r"[A-Z]{4}", name)}
    assert {name for name in named if not (REPO / name).exists()} - placeholders == set()
