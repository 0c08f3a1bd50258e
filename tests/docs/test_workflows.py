"""The workflows: parsed, with the least rights, and nothing of others that can change under us."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.documents import REPO

FILES = sorted((REPO / ".github").rglob("*.yml"))
WORKFLOWS = [path for path in FILES if path.parent.name == "workflows"]


def names(path: Path) -> str:
    return path.name


def steps(path: Path) -> list[dict[str, Any]]:
    jobs: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", FILES, ids=names)
def test_it_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=names)
def test_actions_of_others_are_pinned_by_commit(path: Path) -> None:
    used = {step["uses"] for step in steps(path) if "uses" in step}
    assert {name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)} == set()
    pinned = re.findall(r"@[0-9a-f]{40}(.*)", path.read_text(encoding="utf-8"))
    assert all(re.fullmatch(r" # v[\d.]+", comment) for comment in pinned), "the version beside the commit"


@pytest.mark.parametrize("path", WORKFLOWS, ids=names)
def test_no_right_is_given_to_a_whole_workflow(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=names)
def test_no_stored_secret_is_used(path: Path) -> None:
    assert "secrets." not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=names)
def test_make_targets_and_scripts_exist(path: Path) -> None:
    makefile = (REPO / "Makefile").read_text(encoding="utf-8")
    runs = [step["run"] for step in steps(path) if "run" in step]
    targets = {word for run in runs for line in re.findall(r"^make (.+)$", run, re.MULTILINE) for word in line.split()}
    assert targets - set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == set()
    assert all((REPO / run).exists() for run in runs if re.fullmatch(r"[\w./-]+", run))


def test_dependabot_looks_where_dependencies_are() -> None:
    updates = yaml.safe_load((REPO / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    looks = {(one["package-ecosystem"], place) for one in updates for place in one.get("directories", ["/"])}
    assert looks == {("pip", "/"), ("pip", "/deploy/docker"), ("github-actions", "/"), ("docker", "/")}
    files = ("pyproject.toml", "deploy/docker/requirements.txt", ".github/workflows", "Dockerfile")
    assert [name for name in files if not (REPO / name).exists()] == []


@pytest.mark.parametrize(
    ("tag", "tags", "status"),
    [
        ("v1.2.3", "ghcr.io/acme/exporter:1.2.3,ghcr.io/acme/exporter:latest", "--latest"),
        ("v1.2.3rc1", "ghcr.io/acme/exporter:1.2.3rc1", "--prerelease"),
        ("v1.2.3.dev4", "ghcr.io/acme/exporter:1.2.3.dev4", "--prerelease"),
        ("v2.0.0-beta.1", "ghcr.io/acme/exporter:2.0.0-beta.1", "--prerelease"),
    ],
)
def test_only_a_release_is_the_latest(tag: str, tags: str, status: str, tmp_path: Path) -> None:
    found = {step["id"]: step for step in steps(REPO / ".github/workflows/release.yml") if "id" in step}
    output = tmp_path / "output"
    environ = {"GITHUB_REPOSITORY": "Acme/Exporter", "GITHUB_REF_NAME": tag, "GITHUB_OUTPUT": str(output)}
    subprocess.run(["bash", "-eo", "pipefail", "-c", found["names"]["run"]], env=environ, check=True)
    told = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert told == {"image": "ghcr.io/acme/exporter", "version": tag[1:], "tags": tags, "status": status}
    assert found["push"]["with"]["tags"] == "${{ steps.names.outputs.tags }}"


def test_the_pythons_tested_are_those_promised() -> None:
    ci = yaml.safe_load((REPO / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (REPO / "pyproject.toml").read_text())
    assert ci["jobs"]["python"]["strategy"]["matrix"]["python"] == promised
