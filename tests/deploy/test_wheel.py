"""The wheel and the sdist: complete, and working where no checkout is near."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ami_exporter import __version__
from tests.support.exporter_process import exporter, outside_environ


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in a fresh virtual environment."""
    home = tmp_path_factory.mktemp("venv")
    python = home / "bin" / "python"
    quiet = ["--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(home)],
        [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet, f"{wheel}[auth]"],
    ):
        subprocess.run(command, check=True, timeout=100, stdin=subprocess.DEVNULL, capture_output=True)
    return home / "bin" / "ami-exporter"


def test_the_wheel_holds_the_types_the_schema_and_the_templates_and_no_tests(wheel: Path, repository: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "ami_exporter/py.typed",
        "ami_exporter/config/schema.json",
        "ami_exporter/web/status/templates/page.html",
    } <= names
    tracked = {
        str(path.relative_to(repository))
        for path in (repository / "ami_exporter").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == tracked


def test_the_sdist_holds_what_packages_are_made_of_and_no_tests_which_need_the_checkout(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    top = f"ami_exporter-{__version__}/"
    with tarfile.open(sdist) as archive:
        names = set(archive.getnames())
    expected = (
        *("README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "ami_exporter/web/status/templates/page.html"),
        *("grafana/dashboards/asterisk-pbx.json", "prometheus/rules/pbx.yml", "deploy/systemd/ami-exporter.service"),
    )
    assert [name for name in expected if top + name not in names] == []
    assert [name for name in names if name.startswith(f"{top}tests")] == []


def test_the_readme_renders_on_a_package_index_with_links_that_lead_somewhere(wheel: Path) -> None:
    from readme_renderer import markdown

    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = email.message_from_bytes(archive.read(name))
    assert about["Description-Content-Type"] == "text/markdown"
    page = markdown.render(str(about.get_payload()))
    assert page is not None
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert len([link for link in links if f"/v{__version__}/" in link]) > 10
    assert "Source, https://github.com/" in about.as_string()


def test_the_installed_program_tells_its_version(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "--version"], cwd=tmp_path, env=outside_environ(), capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"ami-exporter {__version__} (Python 3.")


def test_the_installed_demo_serves_metrics_the_status_page_and_its_health(installed: Path, tmp_path: Path) -> None:
    with exporter("demo", program=[str(installed)], cwd=tmp_path) as running:
        assert running.get().value("asterisk_up") == 1
        assert "<title>" in running.get("/").body
        health = subprocess.run(
            [installed, "healthcheck", "--web.listen-address", f"127.0.0.1:{running.port}"],
            env=outside_environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        asked = f"http://127.0.0.1:{running.port}/-/healthy"
        assert (health.returncode, health.stdout) == (0, f"healthy: {asked}: HTTP 200\n")


def test_the_installed_program_checks_a_configuration(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(
        "targets: {pbx: {address: 192.0.2.1, username: a, secret: bcd, trunk: auto}}\n"
    )
    done = subprocess.run(
        [installed, "check", "--config.file", "config.yml"],
        cwd=tmp_path,
        env=outside_environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'did you mean "trunks"?' in done.stderr
