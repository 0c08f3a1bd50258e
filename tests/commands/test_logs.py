import io
import json
import logging

import pytest

from ami_exporter.commands.logs import Guard, configure, quote
from ami_exporter.config.secret import Secret
from ami_exporter.pbx.state_log import StateLog


def lines(fmt: str, level: str = "info", guard: Guard | None = None) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    return configure(level, fmt, stream, guard or Guard()), stream


def record(msg: str, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": msg, "levelno": 20, "levelname": "INFO", "created": 1700000000.125, **extra})


def test_logfmt_has_time_level_message_and_the_further_fields_in_order() -> None:
    logger, stream = lines("logfmt")
    logger.handle(record("link is up", target="pbx 1", seconds=0.25, tls=True, nothing=None))
    assert stream.getvalue() == (
        'ts=2023-11-14T22:13:20.125Z level=info msg="link is up" target="pbx 1" seconds=0.25 tls=true\n'
    )


def test_json_has_the_same_fields() -> None:
    logger, stream = lines("json")
    logger.handle(record("link is up", target="pbx 1", seconds=0.25))
    assert json.loads(stream.getvalue()) == {
        "ts": "2023-11-14T22:13:20.125Z",
        "level": "info",
        "msg": "link is up",
        "target": "pbx 1",
        "seconds": 0.25,
    }


@pytest.mark.parametrize("fmt", ["logfmt", "json"])
@pytest.mark.parametrize(
    "hostile", ["a\nlevel=error msg=forged", "a\r\nb", "\u2028x\u0085y", '" level="x', "\x1b[31m", "\ud800"]
)
def test_no_value_can_forge_a_line(fmt: str, hostile: str) -> None:
    logger, stream = lines(fmt)
    logger.info("got %s", hostile, extra={"server": hostile})
    written = stream.getvalue()
    assert len(written.splitlines()) == 1
    assert written.endswith("\n")
    assert "\x1b" not in written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("pbx1", "pbx1"),
        ("", '""'),
        ("a b", '"a b"'),
        ('say "x"', '"say \\"x\\""'),
        ("a=b", '"a=b"'),
        ("Köln", '"Köln"'),
    ],
)
def test_logfmt_quotes_only_where_it_must(value: str, written: str) -> None:
    assert quote(value) == written


def test_the_level_holds_back_what_is_below_it() -> None:
    logger, stream = lines("logfmt", "warning")
    logger.info("small talk")
    logger.warning("look")
    assert stream.getvalue().count("\n") == 1
    assert "msg=look" in stream.getvalue()


def test_a_trace_stays_on_one_line() -> None:
    logger, stream = lines("logfmt")
    try:
        int("first\nsecond")
    except ValueError:
        logger.exception("a bug")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError: invalid literal" in stream.getvalue()


@pytest.mark.parametrize("fmt", ["logfmt", "json"])
@pytest.mark.parametrize("planted", ["hunter2-planted", 'with "quotes" \\ and ümlaut'])
def test_a_known_secret_never_gets_out_even_when_revealed(fmt: str, planted: str) -> None:
    guard = Guard()
    guard.know([Secret(planted), Secret("x")])
    logger, stream = lines(fmt, guard=guard)
    logger.info(
        "secret %s and %s", Secret(planted), planted, extra={"why": f"login with {planted}", "by": Secret(planted)}
    )
    written = stream.getvalue()
    assert planted not in written
    assert json.dumps(planted)[1:-1] not in written
    assert json.dumps(planted, ensure_ascii=False)[1:-1] not in written
    assert written.count("<secret>") == 4


def test_a_state_is_logged_once_until_it_changes() -> None:
    logger, stream = lines("logfmt")
    states = StateLog(logger)
    told = [
        states.note(("pbx1", "poll"), state, logging.WARNING, f"link is {state}", target="pbx1")
        for state in ["down", "down", "up", "up", "down"]
    ]
    assert told == [True, False, True, False, True]
    assert [line.split("msg=")[1] for line in stream.getvalue().splitlines()] == [
        '"link is down" target=pbx1',
        '"link is up" target=pbx1',
        '"link is down" target=pbx1',
    ]


def test_keys_have_states_of_their_own_and_can_be_forgotten() -> None:
    logger, stream = lines("logfmt")
    states = StateLog(logger)
    assert states.note(("pbx1", "poll"), "up", logging.INFO, "one")
    assert states.note(("pbx2", "poll"), "up", logging.INFO, "two")
    states.forget("pbx1")
    assert states.note(("pbx1", "poll"), "up", logging.INFO, "three")
    assert not states.note(("pbx2", "poll"), "up", logging.INFO, "four")
    assert stream.getvalue().count("\n") == 3


def test_a_percent_sign_in_a_state_message_is_no_format() -> None:
    logger, stream = lines("logfmt")
    StateLog(logger).note(("t",), 1, logging.INFO, "100%s of %d")
    assert 'msg="100%s of %d"' in stream.getvalue()
