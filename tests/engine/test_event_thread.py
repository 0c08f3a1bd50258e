"""The event link's thread survives whatever happens around it."""

from __future__ import annotations

import logging
import socket
import threading
import time
from functools import partial

import pytest

from ami_exporter.pbx.event_link import KEEPALIVE_SECONDS, PING_SECONDS
from ami_exporter.pbx.event_loop import BEAT_SECONDS
from ami_exporter.pbx.poller import Polled
from tests.support.ami_server import Ended, Fields, Session
from tests.support.ami_wire import packet
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import LONGEST_WAIT, SOON, listening, movable, read_back, scrape, target, until, value

pytestmark = pytest.mark.slow


def test_a_fault_while_preparing_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[float] = []
    with ScriptedPbx() as pbx, target(pbx.port) as quiet:
        poll = type(quiet.poller).poll

        def first_fails(*arguments: object, **named: object) -> Polled:
            calls.append(time.monotonic())
            if len(calls) == 1:
                raise ZeroDivisionError
            return poll(*arguments, **named)  # type: ignore[arg-type]  # as it was called

        monkeypatch.setattr(type(quiet.poller), "poll", first_fails)
        with caplog.at_level(logging.CRITICAL, "ami_exporter"), target(pbx.port, events=True) as one:
            listening(one)
            assert len(calls) >= 2


def test_a_process_without_free_descriptors_finds_the_pbx_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_arguments: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    with ScriptedPbx() as pbx, monkeypatch.context() as patched:
        patched.setattr("ami_exporter.ami.stream.socket.socket", none_left)
        with target(pbx.port) as one:
            found = scrape(one)
            assert value(found, "asterisk_up") == 0
            assert value(found, "ami_exporter_login_failures_total", reason="refused") == 1
            patched.undo()
            assert value(scrape(one), "asterisk_up") == 1


def test_events_that_come_when_the_link_ends_instead_of_a_sign_of_life_are_counted() -> None:
    def last_words(session: Session, _action: Fields) -> None:
        session.send(
            packet(("Event", "Shutdown"), ("Privilege", "system,all"), ("Shutdown", "Cleanly"), ("Restart", "True"))
        )
        raise Ended

    clock, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        pbx.hooks["Ping"] = last_words
        clock.ahead += KEEPALIVE_SECONDS + 1
        until(lambda: value(read_back(one.counters.families()), "asterisk_shutdowns_total", kind="clean") == 1)


def test_a_gap_begins_with_the_last_sign_of_life_not_when_the_loss_is_noticed() -> None:
    def gone(_session: Session, _action: Fields) -> None:
        raise Ended

    clock, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        before = one.stats.gap()
        pbx.hooks["Ping"] = gone
        clock.ahead += 40.0  # packets vanish, and nobody notices
        until(lambda: one.stats.up_since("events") is None, "the loss")
        pbx.hooks.clear()
        listening(one)
        assert 40.0 <= one.stats.gap() - before < 40.0 + SOON


def test_an_answer_to_a_ping_that_waits_to_be_read_is_a_sign_of_life_however_late_the_loop_is() -> None:
    stopped, answered, go_on = threading.Event(), threading.Event(), threading.Event()
    clock, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        loop = one._loop
        assert loop is not None

        def hold() -> None:
            stopped.set()
            go_on.wait(SOON)

        def answer_late(session: Session, action: Fields) -> None:
            loop.call(hold)
            stopped.wait(SOON)
            pbx.obey(session, action)
            answered.set()

        pbx.hooks["Ping"] = answer_late
        clock.ahead += KEEPALIVE_SECONDS + 1
        assert answered.wait(LONGEST_WAIT)
        clock.ahead += PING_SECONDS + 1
        go_on.set()
        beaten = threading.Event()
        loop.call(lambda: loop.later(2 * BEAT_SECONDS, beaten.set))
        assert beaten.wait(LONGEST_WAIT)
        assert one.stats.families()[1].values["events",] == 1.0  # connected once


def _seen(pbx: ScriptedPbx, actions: int) -> bool:
    return len(pbx.seen) >= actions and pbx.seen[-1] == (1, "Ping")


def test_a_quiet_link_that_answers_proves_itself() -> None:
    clock, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        listening(one)
        for _ in range(3):
            pings = len(pbx.seen) + 1
            clock.ahead += KEEPALIVE_SECONDS + 1
            until(partial(_seen, pbx, pings), "a Ping")
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        before = one.stats.gap()
        pbx.kick()
        until(lambda: one.stats.up_since("events") is None, "the loss")
        listening(one)
        assert one.stats.gap() - before < SOON


@pytest.mark.parametrize("host", ["a" * 64 + ".example.net", "..", "a..b"])
def test_a_name_that_no_resolver_takes_is_a_clear_refusal(host: str) -> None:
    with target(5038, host=host) as one:
        found = scrape(one, 2.0)
        assert value(found, "asterisk_up") == 0
        assert "the host's name cannot be resolved" in one.connector.detail("poll")
