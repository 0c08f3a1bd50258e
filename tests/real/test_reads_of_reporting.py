"""What an AMI user with `write = reporting` alone reads by Getvar, and what stops it: docs/permissions.md."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.real.conftest import AsteriskFactory
from tests.support.ami_raw import RawAmi
from tests.support.planted import AMI_SECRETS

PASSWORD = "plAnted-auth-71"
PAGE = "plAnted-page-72"
AUTH = f"\n[stolen]\ntype = auth\nauth_type = userpass\nusername = stolen\npassword = {PASSWORD}\n"
MODULES = ("func_config", "func_sorcery", "func_curl")
REMEDY = "".join(f"noload = {module}.so\n" for module in MODULES)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_arguments: object) -> None: ...


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a page on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def values(ami: RawAmi, page: str) -> dict[str, str]:
    """What Getvar returns for each module's function; without Value: empty."""
    asked = {
        "func_config": "AST_CONFIG(manager.conf,all,secret)",
        "func_sorcery": "AST_SORCERY(res_pjsip,auth,stolen,password)",
        "func_curl": f"CURL({page})",
    }
    return {name: ami.action("Getvar", Variable=variable).get("Value", "") for name, variable in asked.items()}


@pytest.mark.parametrize("major", [22, 16])
def test_getvar_reads_secrets_whatever_live_dangerously_says_until_the_modules_are_not_loaded(
    asterisk_factory: AsteriskFactory, major: int, page: str
) -> None:
    server = asterisk_factory(major)
    etc = server.folder / "etc"
    with (etc / "pjsip.conf").open("a") as file:
        file.write(AUTH)
    with (etc / "asterisk.conf").open("a") as file:
        file.write("\n[options]\nlive_dangerously = no\n")
    server.restart()
    with server.ami("reporting") as ami:
        assert values(ami, page) == {
            "func_config": AMI_SECRETS["all"],
            "func_sorcery": PASSWORD,
            "func_curl": PAGE,
        }
    with (etc / "modules.conf").open("a") as file:
        file.write(REMEDY)
    server.restart()
    with server.ami("reporting") as ami:
        assert values(ami, page) == dict.fromkeys(MODULES, "")
