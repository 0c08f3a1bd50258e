"""A flood of guessed passwords against an exporter that has just started: the right one is let in soon."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import bcrypt
import pytest

from tests.support.certificates import Authority
from tests.support.tls_files import unverified
from tests.support.web import Running, exchange, running
from tests.web.test_auth import basic, web_config

pytestmark = pytest.mark.slow

GUESSERS = 30
#: Cost 10, as htpasswd is told everywhere; a check takes 0.06 s of an idle core, 0.25 s of this machine's busy one.
COST = 10
#: What is promised is two seconds. A check that runs and the scraper's own are all it waits for; a loaded machine may
#: take several times as long for each.
CHECKS = 6


def connect(web: Running, source: str, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", web.port, timeout=20, source_address=(source, 0))
    context = unverified()
    return http.client.HTTPSConnection("127.0.0.1", web.port, timeout=20, source_address=(source, 0), context=context)


@contextmanager
def guessing(web: Running, *, kept: bool, source: str, tls: bool) -> Iterator[list[threading.Thread]]:
    """So many clients that guess, each the next one as soon as it is refused."""
    end, numbers = threading.Event(), itertools.count()

    def run() -> None:
        connection = connect(web, source, tls=tls)
        while not end.is_set():
            with suppress(OSError, http.client.HTTPException):
                headers = {"Authorization": basic("prom", f"guess {next(numbers)}")}
                assert exchange(connection, "/metrics", headers=headers).status in {401, 503}
                if kept:
                    continue
            connection.close()
        connection.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(GUESSERS)]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        end.set()  # those whose answer is held back end with the server


@pytest.mark.parametrize(
    ("kept", "source", "tls"),
    [
        pytest.param(True, "127.0.0.66", False, id="over kept connections from another address"),
        pytest.param(True, "127.0.0.1", False, id="over kept connections from the same address"),
        pytest.param(False, "127.0.0.66", False, id="a connection for each guess from another address"),
        pytest.param(False, "127.0.0.1", False, id="a connection for each guess from the same address"),
        pytest.param(False, "127.0.0.1", True, id="a TLS connection for each guess from the same address"),
    ],
)
def test_the_right_password_is_let_in_under_a_flood_of_guesses(
    tmp_path: Path, kept: bool, source: str, tls: bool
) -> None:
    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(COST))
    began = time.monotonic()
    bcrypt.checkpw(b"wrong", hashed)
    one_check = time.monotonic() - began
    Authority().issue("localhost").write(tmp_path, "server")
    pair = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n" if tls else ""
    file = web_config(tmp_path, f"basic_auth_users: {{prom: {hashed.decode()}}}\n{pair}")
    with running(config_file=file) as web, guessing(web, kept=kept, source=source, tls=tls) as guessers:
        threading.Event().wait(5 * one_check)
        scraper = connect(web, "127.0.0.1", tls=tls)
        began = time.monotonic()
        assert exchange(scraper, "/metrics", headers={"Authorization": basic("prom", "right")}).status == 200
        seconds = time.monotonic() - began
        scraper.close()
    for guesser in guessers:
        guesser.join(30)
    assert seconds < max(2.0, CHECKS * one_check)
