import http.server
import os
import shutil
import subprocess
import threading
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
    assert found.count("<table") == found.count("<caption>") == 3
    assert "Content Security Policy" not in complaints
    assert "CONSOLE" not in complaints


class OtherSite(http.server.BaseHTTPRequestHandler):
    """A page of another origin that posts a form to the exporter by itself."""

    target = ""

    def do_GET(self) -> None:
        page = f'<form method=post action="{self.target}"></form><script>document.forms[0].submit()</script>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_another_sites_page_in_a_browser_cannot_have_us_reload(chromium: list[str]) -> None:
    with running() as web, http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherSite) as site:
        # By a name that is not trustworthy for browsers: to localhost alone they send Sec-Fetch-Site.
        host = f"exporter.example:{web.port}"
        OtherSite.target = f"http://{host}/-/reload"
        threading.Thread(target=site.serve_forever, daemon=True).start()
        resolve = "--host-resolver-rules=MAP *.example 127.0.0.1"
        found, _ = dom([*chromium, resolve], f"http://evil.example:{site.server_address[1]}/")
        site.shutdown()
    assert "another site's page cannot ask for a reload" in found
    assert web.service.reloads == 0
