"""The bill of materials says what the lock file says, and of which version of the exporter."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ami_exporter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def locked() -> dict[str, set[str]]:
    """name==version of the image's lock file → its hashes."""
    text = (ROOT / "deploy/docker/requirements.txt").read_text().replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {line[0]: {word.partition(":")[2] for word in line[1:] if word.startswith("--hash=")} for line in lines}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bill as `make sbom` writes it."""
    file = tmp_path_factory.mktemp("sbom") / "sbom.json"
    tool = Path(sys.executable).with_name("cyclonedx-py")
    subprocess.run([ROOT / "deploy/docker/sbom", tool, file], check=True, stdin=subprocess.DEVNULL, timeout=110)
    return file.read_text()


def test_the_sbom_holds_every_locked_package_with_its_hashes(text: str) -> None:
    sbom = json.loads(text)
    assert sbom["bomFormat"] == "CycloneDX"
    root = sbom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("ami-exporter", ami_exporter.__version__)
    found = {
        f"{part['name']}=={part['version']}": {
            each["content"] for reference in part["externalReferences"] for each in reference.get("hashes", ())
        }
        for part in sbom["components"]
    }
    assert found == locked()
    assert len(found) >= 5
    assert all(part["purl"].startswith("pkg:pypi/") for part in sbom["components"])


def test_no_registry_but_the_official_one_is_named(text: str) -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", text))
    assert {host for host in hosts if not host.endswith(".readthedocs.io")} <= {
        "pypi.org",
        "cyclonedx.org",
        "github.com",
    }
