"""The system can start no thread (TasksMax=, a container's limit): what needs one waits for it, the rest works on."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from ami_exporter.commands.logwriter import QueueingHandler
from ami_exporter.pbx.openers import Openers
from tests.engine.test_canary_ledger import World
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import exporting, listening, scrape, settings, target, until, value

pytestmark = pytest.mark.slow


@contextmanager
def none_left(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Let no thread of this name start; fail if none tried to."""
    start = threading.Thread.start
    refused: list[str] = []

    def refuse(thread: threading.Thread) -> None:
        if thread.name == name:
            refused.append(name)
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", refuse)
        yield
    assert refused, f"no thread {name} was wanted"


def test_an_event_link_that_found_no_thread_opens_as_soon_as_there_is_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedPbx() as pbx, target(pbx.port, events=True) as one:
        listening(one)
        with caplog.at_level(logging.ERROR, "ami_exporter"), none_left(monkeypatch, "ami-retry"):
            pbx.kick()
            until(lambda: "TasksMax=" in caplog.text, "the log")
            assert one.stats.up_since("events") is None
            assert value(scrape(one), "asterisk_up") == 1, "a scrape needs no thread of its own"
        listening(one)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1, "once a minute"


def test_the_first_connection_that_found_no_thread_is_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedPbx() as pbx, ExitStack() as stack:
        with none_left(monkeypatch, "ami-open"):
            one = stack.enter_context(target(pbx.port, events=True))
            assert value(scrape(one), "asterisk_up") == 1
            assert one.stats.up_since("events") is None
        listening(one)


def test_jobs_that_found_no_thread_run_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    openers, done = Openers("test-open", 1), list[int]()
    with none_left(monkeypatch, "test-open"):
        for number in range(3):
            openers.submit(partial(done.append, number))
        openers.check()
    assert done == []
    openers.check()
    until(lambda: done == [0, 1, 2], "all jobs")


def test_only_a_name_needs_a_thread_to_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as by_address, target(pbx.port, host="localhost") as by_name:
        with none_left(monkeypatch, "ami-resolve"):
            assert value(scrape(by_address), "asterisk_up") == 1
            assert value(scrape(by_name), "asterisk_up") == 0
            assert "can't start new thread; raise TasksMax= or use an address" in by_name.connector.detail("poll")
        assert value(scrape(by_name), "asterisk_up") == 1


def test_a_reload_that_finds_no_thread_still_logs_off_what_is_gone_and_connects_what_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedPbx() as old, ScriptedPbx() as new, exporting({"old": settings(old.port)}) as (one, after):
        assert value(scrape(one._targets["old"]), "asterisk_up") == 1
        del after["old"]
        after["new"] = settings(new.port)
        with none_left(monkeypatch, "ami-stop"):
            assert one.reload().ok
        assert "Logoff" in old.names()
        assert value(scrape(one._targets["new"]), "asterisk_up") == 1


def test_canaries_that_found_no_thread_begin_with_a_later_scrape(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    canaries = World().canaries
    with none_left(monkeypatch, "canaries-pbx"):
        canaries.start()
        canaries.families()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert canaries._thread is None
    canaries.join(1.0)
    canaries.families()
    assert canaries._thread is not None
    assert canaries._thread.is_alive()
    canaries.stop()
    canaries.join(20.0)
    assert not canaries._thread.is_alive()


def test_canaries_that_were_not_started_or_have_ended_get_no_thread() -> None:
    canaries = World().canaries
    canaries.families()
    assert canaries._thread is None, "a single poll makes no call"
    canaries.stop()
    canaries.start()
    assert canaries._thread is None


def test_log_lines_that_found_no_thread_are_written_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    handler = QueueingHandler(writer, lambda _lost: pytest.fail("no line is lost"))
    with os.fdopen(writer, "w"), os.fdopen(reader, "rb") as pipe:
        with none_left(monkeypatch, "log"):
            handler.emit(logging.makeLogRecord({"msg": "the first"}))
        handler.emit(logging.makeLogRecord({"msg": "the second"}))
        assert [pipe.readline() for _ in range(2)] == [b"the first\n", b"the second\n"]
        handler.close()
