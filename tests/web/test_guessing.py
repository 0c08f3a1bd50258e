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

from tests.support.web import Running, exchange, running
from tests.web.test_auth import basic, web_config

GUESSERS = 30
#: Cost 10, as htpasswd is told everywhere; a check takes 0.06 s of an idle core, 0.25 s of this machine's busy one.
COST = 10
#: What is promised is two seconds. A check that runs and the scraper's own are all it waits for; a loaded machine may
#: take several times as long for each.
CHECKS = 6


@contextmanager
def guessing(web: Running, *, kept: bool, source: str) -> Iterator[None]:
    """So many clients that guess, each the next one as soon as it is refused."""
    end, numbers = threading.Event(), itertools.count()

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20, source_address=(source, 0))
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
        yield
    finally:
        end.set()


@pytest.mark.parametrize("source", ["127.0.0.66", "127.0.0.1"], ids=["another address", "the same address"])
@pytest.mark.parametrize("kept", [True, False], ids=["over kept connections", "a connection for each guess"])
def test_the_right_password_is_let_in_under_a_flood_of_guesses(tmp_path: Path, kept: bool, source: str) -> None:
    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(COST))
    began = time.monotonic()
    bcrypt.checkpw(b"wrong", hashed)
    one_check = time.monotonic() - began
    file = web_config(tmp_path, f"basic_auth_users: {{prom: {hashed.decode()}}}\n")
    with running(config_file=file) as web, guessing(web, kept=kept, source=source):
        threading.Event().wait(5 * one_check)
        began = time.monotonic()
        assert web.ask("/metrics", headers={"Authorization": basic("prom", "right")}).status == 200
        assert time.monotonic() - began < max(2.0, CHECKS * one_check)
