"""The simulated PBX on the wire: banner, login, faults, masks, as Asterisk's manager.c has them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.demo.rights import ALL, event_mask
from tests.support.ami_packets import PacketClient, value

QUIET = DemoSettings(traffic=0, warmup=0)


@pytest.fixture(scope="module")
def pbx() -> Iterator[SimulatedPbx]:
    watcher = User("watcher", "watched", read=frozenset({"security"}))
    with SimulatedPbx(QUIET, users=[watcher], reject_delay=0.2) as pbx:
        yield pbx


@pytest.fixture
def ami(pbx: SimulatedPbx) -> Iterator[PacketClient]:
    with PacketClient(pbx.port) as ami:
        yield ami


def test_banner_is_one_line_with_the_ami_version_of_asterisk_22(ami: PacketClient) -> None:
    assert ami.banner == "Asterisk Call Manager/11.0.0\r\n"
    assert ami.buffer == b""


def test_plain_login_is_accepted_and_echoes_the_action_id(ami: PacketClient) -> None:
    reply = ami.ask("Login", ("ActionID", "7"), ("Username", "demo"), ("Secret", "demo"), ("Events", "off"))
    assert reply == [("Response", "Success"), ("ActionID", "7"), ("Message", "Authentication accepted")]


def test_user_names_match_in_any_case_and_a_second_login_is_already_authenticated(ami: PacketClient) -> None:
    assert value(ami.login("DEMO"), "Message") == "Authentication accepted"
    assert value(ami.login(secret="wrong"), "Message") == "Already authenticated"


def test_md5_login_takes_the_digest_of_challenge_and_secret(ami: PacketClient) -> None:
    challenge = value(ami.ask("Challenge", ("AuthType", "MD5")), "Challenge")
    assert challenge.isdigit()
    key = hashlib.md5(f"{challenge}demo".encode(), usedforsecurity=False).hexdigest()
    login = ("AuthType", "MD5"), ("Username", "demo"), ("Key", key), ("Events", "off")
    assert value(ami.ask("Login", *login), "Message") == "Authentication accepted"


def test_challenge_without_md5_is_an_error(ami: PacketClient) -> None:
    assert ami.ask("Challenge") == [("Response", "Error"), ("Message", "Must specify AuthType")]


@pytest.mark.parametrize(("username", "secret"), [("demo", "wrong"), ("nobody", "demo"), ("demo", "")])
def test_wrong_credentials_are_refused_after_a_while_and_the_session_ends(
    ami: PacketClient, username: str, secret: str
) -> None:
    began = time.monotonic()
    assert ami.login(username, secret) == [("Response", "Error"), ("Message", "Authentication failed")]
    assert time.monotonic() - began >= 0.2
    assert ami.at_end() == b""


def test_a_digest_for_another_challenge_is_refused(ami: PacketClient) -> None:
    ami.ask("Challenge", ("AuthType", "MD5"))
    key = hashlib.md5(b"0demo", usedforsecurity=False).hexdigest()
    reply = ami.ask("Login", ("AuthType", "MD5"), ("Username", "demo"), ("Key", key))
    assert value(reply, "Message") == "Authentication failed"


def test_before_login_everything_else_is_denied_and_the_session_lives(ami: PacketClient) -> None:
    assert ami.ask("Ping") == [("Response", "Error"), ("Message", "Permission denied")]
    assert ami.ask("Nonsense") == [("Response", "Error"), ("Message", "Permission denied")]
    assert value(ami.login(), "Response") == "Success"


def test_ping_answers_pong_with_a_timestamp(ami: PacketClient) -> None:
    ami.login()
    reply = ami.ask("Ping", ("ActionID", "x"))
    assert reply[:3] == [("Response", "Success"), ("ActionID", "x"), ("Ping", "Pong")]
    assert abs(float(value(reply, "Timestamp")) - time.time()) < 5


def test_logoff_says_goodbye_and_closes(ami: PacketClient) -> None:
    ami.login()
    assert ami.ask("Logoff") == [("Response", "Goodbye"), ("Message", "Thanks for all the fish.")]
    assert ami.at_end() == b""


def test_an_unknown_action_is_named_in_the_error(ami: PacketClient) -> None:
    ami.login()
    text = "Invalid/unknown command: Frobnicate. Use Action: ListCommands to show available commands."
    assert ami.ask("Frobnicate") == [("Response", "Error"), ("Message", text)]


def test_a_stray_blank_line_is_an_empty_action(ami: PacketClient) -> None:
    ami.login()
    ami.sock.sendall(b"\r\n")
    assert ami.packet() == [("Response", "Error"), ("Message", "Missing action in request")]


def test_bare_lf_odd_case_and_no_space_after_the_colon_are_understood(ami: PacketClient) -> None:
    ami.login()
    ami.sock.sendall(b"ACTION:pInG\nactionid:9\n\n")
    assert value(ami.packet(), "ActionID") == "9"


def test_a_request_may_come_byte_by_byte(ami: PacketClient) -> None:
    ami.login()
    for byte in b"Action: Ping\r\nActionID: slow\r\n\r\n":
        ami.sock.sendall(bytes([byte]))
    assert value(ami.packet(), "ActionID") == "slow"


def test_a_line_over_1024_bytes_fails_the_message_and_keeps_the_session(ami: PacketClient) -> None:
    ami.login()
    ami.send(("Action", "Ping"), ("ActionID", "long"), ("Junk", "x" * 3000))
    reply = ami.packet()
    assert value(reply, "Message") == "Failed to parse message: line too long"
    assert value(reply, "ActionID") == "long"
    assert value(ami.ask("Ping"), "Ping") == "Pong"


def test_more_than_128_headers_fail_the_message(ami: PacketClient) -> None:
    ami.login()
    ami.send(("Action", "Ping"), *((f"H{number}", "1") for number in range(128)))
    assert value(ami.packet(), "Message") == "Too many lines in message or allocation failure"


def test_pipelined_actions_are_answered_in_order(ami: PacketClient) -> None:
    ami.login()
    for number in range(40):
        ami.send(("Action", "Ping"), ("ActionID", str(number)))
    assert [value(ami.packet(), "ActionID") for _ in range(40)] == [str(number) for number in range(40)]


@pytest.mark.parametrize(
    ("mask", "answer"),
    [("off", "Off"), ("on", "On"), ("call,agent", "On"), ("bogus", "Off"), ("1", "On"), ("0", "Off")],
)
def test_event_masks_answer_on_or_off_and_an_unknown_class_is_none(ami: PacketClient, mask: str, answer: str) -> None:
    ami.login()
    assert ami.ask("Events", ("EventMask", mask)) == [("Response", "Success"), ("Events", answer)]


def test_an_empty_event_mask_is_an_error(ami: PacketClient) -> None:
    ami.login()
    assert ami.ask("Events") == [("Response", "Error"), ("Message", "Invalid event mask")]


def test_masks_are_classes_or_bits() -> None:
    assert event_mask("on") == ALL
    assert event_mask("system,call") == frozenset({"system", "call"})
    assert event_mask("1") == frozenset({"system"})
    assert event_mask("34") == frozenset({"call", "agent"})
    assert event_mask("") is None


def test_refusals_reach_whoever_reads_class_security(pbx: SimulatedPbx, ami: PacketClient) -> None:
    with PacketClient(pbx.port) as watcher:
        watcher.login("watcher", "watched", events="security")
        ami.login()
        ami.ask("Frobnicate")
        own = ami.sock.getsockname()
        success, refused = watcher.packet(), watcher.packet()
    assert success[:2] == [("Event", "SuccessfulAuth"), ("Privilege", "security,all")]
    assert value(refused, "Event") == "RequestBadFormat"
    assert value(refused, "Service") == "AMI"
    assert value(refused, "AccountID") == "demo"
    assert value(refused, "RequestType") == "Frobnicate"
    host, port = own
    assert value(refused, "RemoteAddress") == f"IPV4/TCP/{host}/{port}"
    assert value(refused, "LocalAddress") == f"IPV4/TCP/127.0.0.1/{pbx.port}"


def test_no_password_reaches_a_security_event(pbx: SimulatedPbx, ami: PacketClient) -> None:
    with PacketClient(pbx.port) as watcher:
        watcher.login("watcher", "watched", events="security")
        ami.login(secret="planted-secret")
        event = watcher.packet()
    assert value(event, "Event") == "InvalidPassword"
    assert "planted-secret" not in str(event)
