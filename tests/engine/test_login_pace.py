"""However logins are refused, and whatever is reloaded, no stock intrusion detection sees enough of them to ban us."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.ami.errors import AlreadyInUse, ConnectFailed, LoginRefused, Timeout
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.load import load
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import AmiTlsSettings, Settings, TargetSettings
from ami_exporter.exposition.formats import Format
from ami_exporter.pbx.login_backoff import (
    KNOWN_ANSWER_SECONDS,
    MOST_REFUSED,
    REFUSAL_ANSWER_SECONDS,
    WINDOW_SECONDS,
    LoginBackoff,
    LoginIdentity,
    LoginPaused,
)
from ami_exporter.pbx.target import Clocks
from ami_exporter.service.exporter import Exporter
from ami_exporter.web.views import Selection
from tests.support.ami_server import Fields, Session
from tests.support.config_catalogue import catalogue
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import parsed, scrape, settings, target, value

#: Ten minutes: `findtime` of fail2ban, FreePBX and Grandstream's UCM as they are delivered.
FIND_SECONDS = 600.0
#: Log lines of one refused login at most; `maxretry` of FreePBX; of fail2ban and the UCM, the least there is.
LINES, FREEPBX, STRICTEST = 3, 8, 5

OWN = LoginIdentity("exporter", Secret("wrong"))
IDENTITIES = (
    OWN,
    replace(OWN, secret=Secret("wrong too")),
    replace(OWN, username="other"),
    replace(OWN, tls=AmiTlsSettings()),
    replace(OWN, username="commands", further=True),
    replace(OWN, username="canary", further=True),
)
OUTCOMES = (LoginRefused("no"), Timeout("no answer"), ConnectFailed("cut"), AlreadyInUse("twice"), None)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def log_in(
    gate: LoginBackoff, clock: Clock, who: LoginIdentity, outcome: Exception | None, waited: float = 1.0
) -> bool:
    """Try one login that ends so after a while; whether the gate let it pass."""
    try:
        attempt = gate.attempt(who)
        attempt.begin(clock.now + 10.0)
    except LoginPaused:
        return False
    clock.now += waited
    if outcome is None:
        attempt.accepted()
    attempt.__exit__(None if outcome is None else type(outcome), outcome, None)
    return True


def most_in_a_window(times: Sequence[float]) -> int:
    return max((sum(at <= other < at + FIND_SECONDS for other in times) for at in times), default=0)


STEPS = st.lists(
    st.tuples(st.floats(0.0, 400.0), st.sampled_from(IDENTITIES), st.sampled_from(OUTCOMES), st.floats(0.0, 9.0)),
    max_size=60,
)


@given(STEPS)
def test_no_sequence_of_logins_reaches_any_stock_limit(
    steps: list[tuple[float, LoginIdentity, Exception | None, float]],
) -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    refused: list[tuple[float, LoginIdentity | None]] = []  # with a login: nobody heard whether it was refused
    accepted: set[LoginIdentity] = set()
    for pause, who, outcome, waited in steps:
        clock.now += pause
        passed = log_in(gate, clock, who, outcome, waited)
        # Asterisk sends a refusal after a second; who does not wait for it does not hear it.
        heard = KNOWN_ANSWER_SECONDS if who in accepted else REFUSAL_ANSWER_SECONDS
        if not passed:
            continue
        if outcome is None:  # so it was not refused a moment ago either
            accepted.add(who)
            refused = [(at, other) for at, other in refused if other != who]
        elif type(outcome) is LoginRefused:
            accepted.discard(who)
            refused.append((clock.now, None))
        elif isinstance(outcome, Timeout) and waited < heard:
            refused.append((clock.now, who))
    times = [at for at, _ in refused]
    assert most_in_a_window(times) <= MOST_REFUSED
    assert LINES * most_in_a_window(times) < FREEPBX


def test_a_refused_login_is_tried_again_only_after_the_window() -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    assert log_in(gate, clock, OWN, LoginRefused("no"))
    tried = []
    for _ in range(200):
        clock.now += 15.0
        if log_in(gate, clock, OWN, LoginRefused("no"), waited=0.0):
            tried.append(clock.now)
    assert all(later - sooner >= WINDOW_SECONDS for sooner, later in itertools.pairwise(tried))
    assert len(tried) == 200 * 15 // int(WINDOW_SECONDS)
    assert LINES * most_in_a_window(tried) < STRICTEST


@pytest.mark.parametrize("other", IDENTITIES[1:4], ids=["secret", "user", "tls"])
def test_another_secret_user_or_tls_is_tried_at_once_and_a_third_waits(other: LoginIdentity) -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    assert log_in(gate, clock, OWN, LoginRefused("no"))
    assert not log_in(gate, clock, replace(OWN), LoginRefused("no"))
    assert log_in(gate, clock, other, LoginRefused("no"))
    assert not log_in(gate, clock, replace(OWN, secret=Secret("a third")), None)
    clock.now += WINDOW_SECONDS
    assert log_in(gate, clock, replace(OWN, secret=Secret("a third")), None)


def test_further_users_leave_a_login_for_the_targets_own() -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    commands, canary = IDENTITIES[4:]
    assert log_in(gate, clock, commands, LoginRefused("no"))
    assert not log_in(gate, clock, canary, LoginRefused("no"))
    assert log_in(gate, clock, OWN, LoginRefused("no"))


@pytest.mark.parametrize("outcome", [ConnectFailed("cut"), AlreadyInUse("twice"), None], ids=["cut", "in use", "in"])
def test_what_is_no_refusal_does_not_close_the_gate(outcome: Exception | None) -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    assert all(log_in(gate, clock, OWN, outcome) for _ in range(10))
    assert gate.empty


def test_a_login_whose_answer_was_not_awaited_may_be_tried_again_with_time_to_hear_it() -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    assert log_in(gate, clock, OWN, Timeout("no answer"), waited=0.5)
    with pytest.raises(LoginPaused, match="may have been refused"):
        gate.attempt(OWN).begin(clock.now + 0.5)
    assert log_in(gate, clock, OWN, None)
    assert gate.empty


def test_a_pbx_that_hangs_for_a_while_does_not_close_the_gate_to_a_login_it_has_accepted() -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    assert log_in(gate, clock, OWN, None)
    assert all(log_in(gate, clock, OWN, Timeout("no answer"), waited=3.0) for _ in range(5))
    assert log_in(gate, clock, OWN, None)
    assert gate.empty
    assert log_in(gate, clock, OWN, LoginRefused("the secret was changed"))
    assert not log_in(gate, clock, OWN, None)


def test_logins_at_the_same_time_take_turns_and_the_second_learns_of_the_refusal_of_the_first() -> None:
    clock = Clock()
    gate = LoginBackoff(clock)
    outcomes: list[str] = []
    first, second = gate.attempt(OWN), gate.attempt(OWN)
    first.begin(clock.now + 10.0)

    def later() -> None:
        with pytest.raises(LoginPaused, match="an earlier login was refused"):
            second.begin(clock.now + 10.0)
        outcomes.append("paused")

    waiting = threading.Thread(target=later)
    waiting.start()
    with pytest.raises(LoginRefused), first:
        raise LoginRefused("no")
    waiting.join(10.0)
    assert outcomes == ["paused"]


def refuse(session: Session, action: Fields) -> None:
    session.answer(action, ("Message", "Authentication failed"), response="Error")


def probe(exporter: Exporter) -> Series:
    return parsed(exporter.scrape("pbx", Selection(), None, Format.TEXT_004).decode())


@contextmanager
def exporting(
    first: Mapping[str, TargetSettings], clock: Clock
) -> Iterator[tuple[Exporter, dict[str, TargetSettings]]]:
    """An exporter that reloads what the second one holds, with a clock that stands."""
    after = dict(first)
    clocks = Clocks(clock, lambda: 1_700_000_000.0, lambda: 0.5)
    one = Exporter(Settings(first), lambda: Settings(dict(after)), lambda _all, _own: builtin(), clocks)
    one.start()
    try:
        yield one, after
    finally:
        one.stop()


def test_reloads_in_a_loop_with_a_wrong_secret_are_one_login() -> None:
    clock = Clock()
    with ScriptedPbx(hooks={"Login": refuse}) as pbx:
        wrong = settings(pbx.port, events=True)
        with exporting({"pbx": wrong}, clock) as (one, after):
            for number in range(40):
                clock.now += 15.0 / 4
                changed = replace(wrong, timeout=5.0 + number % 2, md5=bool(number % 3), events=bool(number % 4))
                after.update({"pbx": changed})
                if number % 5 == 0:
                    after.pop("pbx")  # taken out, and brought back by the next reload
                assert one.reload().ok
                if "pbx" in after:
                    assert value(probe(one), "asterisk_up") == 0
            assert pbx.names().count("Login") == 1


def test_a_reload_with_another_secret_is_tried_at_once() -> None:
    clock = Clock()

    def guarded(session: Session, action: Fields) -> None:
        (pbx.obey if action.get("Secret") == "right" else refuse)(session, action)

    with ScriptedPbx(hooks={"Login": guarded}) as pbx:
        wrong = settings(pbx.port)
        with exporting({"pbx": wrong}, clock) as (one, after):
            assert value(probe(one), "asterisk_up") == 0
            one.reload()
            assert value(probe(one), "asterisk_up") == 0
            after["pbx"] = replace(wrong, secret=Secret("right"))
            one.reload()
            assert value(probe(one), "asterisk_up") == 1
        assert pbx.names().count("Login") == 2


def test_a_secret_file_that_is_written_again_with_the_same_content_opens_nothing(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("wrong\n")
    text = f"targets: {{pbx: {{address: x, username: y, secret_file: {file}}}}}\n"
    secret = load("c.yml", text, catalogue({})).targets["pbx"].secret
    with ScriptedPbx(hooks={"Login": refuse}) as pbx, target(pbx.port, secret=secret) as one:
        for content in ("wrong\n", "wrong", "wrong\r\n", "wrong\n"):
            file.write_text(content)
            assert value(scrape(one), "asterisk_up") == 0
        assert pbx.names().count("Login") == 1


def test_two_targets_of_one_pbx_share_its_gate() -> None:
    clock = Clock()
    with ScriptedPbx(hooks={"Login": refuse}) as pbx:
        one = settings(pbx.port)
        both = {"pbx": one, "again": replace(one, name="again")}
        with exporting(both, clock) as (exporter, _):
            for _ in range(3):
                for name in both:
                    exporter.scrape(name, Selection(), None, Format.TEXT_004)
        assert pbx.names().count("Login") == 1


def test_scrapes_that_end_before_a_refusal_is_sent_do_not_hammer() -> None:
    with ScriptedPbx(hooks={"Login": lambda _session, _action: None}) as pbx, target(pbx.port) as one:
        for _ in range(5):
            assert value(scrape(one, 0.3), "asterisk_up") == 0
        assert pbx.names().count("Login") == 1
        pbx.hooks.clear()
        assert value(scrape(one), "asterisk_up") == 1


def test_a_target_with_a_short_timeout_gets_in_after_a_slow_start() -> None:
    """The event link's poll waits longer than a scrape may, so that a login in doubt is tried again."""
    first: list[Session] = []

    def slow_once(session: Session, action: Fields) -> None:
        first.append(session)
        if len(first) > 1:
            pbx.obey(session, action)

    with ScriptedPbx(hooks={"Login": slow_once}) as pbx, target(pbx.port, timeout=0.3) as one:
        assert value(scrape(one, 0.3), "asterisk_up") == 0
        assert one._prepare()
        assert value(scrape(one), "asterisk_up") == 1
        assert pbx.names().count("Login") == 2


def test_a_user_who_may_log_in_once_keeps_the_link_it_has() -> None:
    def once(session: Session, action: Fields) -> None:
        if any(other is not session and other.seen for other in pbx.sessions):
            session.answer(action, ("Message", "Login Already In Use"), response="Error")
        else:
            pbx.obey(session, action)

    with ScriptedPbx(hooks={"Login": once}) as pbx, target(pbx.port) as one:
        assert value(scrape(one), "asterisk_up") == 1
        one.connector._settings = one.settings
        with pytest.raises(AlreadyInUse):
            one.connector.open("events", one._clocks.monotonic() + 5.0, ["call"])
        with pytest.raises(LoginPaused, match="already in use"):
            one.connector.open("events", one._clocks.monotonic() + 5.0, ["call"])
        assert one.gate.empty
        assert value(scrape(one), "asterisk_up") == 1


def test_a_target_held_back_by_the_refused_login_of_another_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedPbx(hooks={"Login": refuse, "Challenge": refuse}) as pbx, target(pbx.port) as one:
        who = LoginIdentity.of(one.settings)
        one.gate.enter(who, one._clocks.monotonic() + 10.0)
        one.gate.leave(who, refused=True)
        for _ in range(3):
            assert value(scrape(one), "asterisk_up") == 0
        assert pbx.names() == []
        assert "an earlier login was refused; the next is tried in" in one.connector.detail("poll")
        assert [line.getMessage() for line in caplog.records] == ["cannot connect to Asterisk"]
