import http.server
import os
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.browser import browser
from tests.support.statuses import down, faulty, fleet, view, waiting, well
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


WIDE, MIDDLE, NARROW = (1280, 800), (768, 1024), (390, 844)
LONG = "a-name-that-nobody-would-give-but-somebody-did-" + "x" * 40
SCENES = {
    "one up": view(well("default")),
    "one down": view(down("default")),
    "all kinds": view(well("berlin"), faulty("hamburg"), down("munich"), waiting("bonn"), reload_error="c.yml:8:5: no"),
    "long names": view(
        *(replace(faulty(f"{LONG}{n}"), address=f"[2001:db8:85a3::8a2e:370:{n}]:5038") for n in range(9))
    ),
    "long names, few": view(replace(faulty(LONG), version="22.10.1~dfsg+~cs6.17.60671434-1" * 3, labels={LONG: LONG})),
    "many": fleet(45, 15),
    "empty": view(),
}
# Part of a row → text in it.
PARTS = {
    ".name": "branch-",
    ".name small": ".example.net:5038",
    ".state": "for 12 min 34 s",
    ".labels": "site=munich",
    ".reason": "an Asterisk Manager Interface",
    ".when": "3.0 s ago, took 10 ms",
}


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_is_clipped_or_pushed_out_of_sight_on_screens_of_any_width(chromium: list[str], scene: str) -> None:
    with running(FakeService(view=SCENES[scene])) as web, browser(Path(chromium[0])) as tab:
        for width, height in (WIDE, MIDDLE, NARROW):
            tab.show(f"http://127.0.0.1:{web.port}/", width, height)
            assert tab.clipped == []
            assert tab.value("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("size", [WIDE, MIDDLE, NARROW])
def test_sixty_targets_of_which_fifteen_are_down_are_three_screens_at_most(
    chromium: list[str], size: tuple[int, int]
) -> None:
    with running(FakeService(view=fleet(45, 15))) as web, browser(Path(chromium[0])) as tab:
        tab.show(f"http://127.0.0.1:{web.port}/", *size)
        assert tab.page_height <= 3 * size[1]
        addresses = tab.lines(".trouble .name small")
    assert len(addresses) == 15
    assert {count for _, count in addresses} == {1}, "an address is in one piece"


@pytest.mark.parametrize("size", [WIDE, MIDDLE, NARROW])
def test_the_list_of_targets_in_trouble_shows_all_that_is_known_of_each_at_any_width(
    chromium: list[str], size: tuple[int, int]
) -> None:
    with running(FakeService(view=fleet(45, 15))) as web, browser(Path(chromium[0])) as tab:
        tab.show(f"http://127.0.0.1:{web.port}/", *size)
        assert tab.clipped == []
        for part, text in PARTS.items():
            seen = tab.lines(f".trouble tbody {part}")
            assert len(seen) == 15
            assert all(count > 0 and text in shown for shown, count in seen), part


def test_the_page_follows_the_dark_mode_of_the_system(chromium: list[str]) -> None:
    colours = []
    with running(FakeService(view=view(well("default")))) as web, browser(Path(chromium[0])) as tab:
        for dark in (False, True):
            tab.show(f"http://127.0.0.1:{web.port}/", *WIDE, dark=dark)
            colours.append(tab.value("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(20, 21, 24)"]


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
