import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.statuses import down, faulty, view, waiting, well
from tests.support.web import FakeService, running


@pytest.fixture
def chromium(tmp_path: Path) -> list[str]:
    """The browser's command line; a missing browser is a failure where CI=true."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        message = "no chromium on PATH: the status page was not tried in a real browser"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    quiet = ("background-networking", "component-update", "sync", "gpu")
    return [
        program,
        "--headless",
        "--no-sandbox",
        "--no-first-run",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path}",
        *(f"--disable-{part}" for part in quiet),
    ]


def dom(chromium: list[str], url: str) -> tuple[str, str]:
    done = subprocess.run([*chromium, "--dump-dom", url], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, done.stderr


def test_a_browser_shows_the_page_without_complaint(chromium: list[str]) -> None:
    service = FakeService(view=view(well("berlin"), faulty("hamburg"), down("munich"), waiting("bonn")))
    with running(service, route_prefix="/pbx") as web:
        found, complaints = dom(chromium, f"http://127.0.0.1:{web.port}/")
    assert "<h1>2 of 4 targets need attention</h1>" in found
    for name in ("berlin", "hamburg", "munich", "bonn"):
        assert f"<h3>{name}</h3>" in found
    assert found.count("<table>") == found.count("<caption>") == 2
    assert "Content Security Policy" not in complaints
    assert "CONSOLE" not in complaints
