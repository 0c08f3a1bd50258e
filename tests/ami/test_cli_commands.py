"""Only console commands that show what may be seen can be sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.ami.actions import cli
from ami_exporter.ami.cli_commands import MAX_COMMAND, REFUSED, refusal
from ami_exporter.ami.errors import ForbiddenAction

ALLOWED = [
    *("odbc show", "g729 show licenses", "dahdi show status", "cdr show status", "module show like odbc"),
    *("confbridge list", "rtp show settings", "pjsip show channelstats", "dongle show devices"),
    *("core show taskprocessors", "core show sysinfo", "core show uptime", "core show calls", "pjsip list endpoints"),
    *("pjsip show registrations", "pjsip show transports", "pri show spans", "fax show stats", "http show status"),
    *("cel show status", "sip show channelstats", "sip show registry", "devstate list"),
    *("manager show settings", "file show formats", "timing show", "quectel show devices", "moh show classes"),
]

# What changes, stops or starts something.
CHANGING = [
    *("core stop now", "core restart now", "core reload", "module unload chan_pjsip.so", "module load x"),
    *("database put a b c", "database del a b", "database deltree a", "database query 'select'", "channel originate"),
    *("channel request hangup all", "channel redirect", "dialplan add extension 1,1,Wait into x", "queue reset stats"),
    *("pjsip send notify x", "sip reload", "odbc reload", "logger rotate", "core set debug 5", "core"),
]
# What only shows, and is refused all the same.
SHOWING = [
    *("database show", "database showkey a", "iax2 show users", "sip show users", "pjsip show auths"),
    *("pjsip show auth x", "pjsip list auths", "dialplan show globals", "dialplan show", "dialplan show internal"),
    *("core show globals", "manager show user admin", "manager show users", "manager show connected"),
    *("core show channels", "core show channel PJSIP/1", "core show channels concise", "core show channels verbose"),
    *("core show locks", "core show threads", "core show hints", "pjsip show transport udp", "pjsip show history"),
    *("pjsip show channels", "pjsip list channels", "pjsip show endpoint 1001", "pjsip show endpoints"),
    *("pjsip show contacts", "sip show peers", "sip show peer 1001", "sip show channels", "iax2 show channels"),
    *("queue show", "agent show all", "voicemail show users", "confbridge list weekly", "parking show"),
    *("bridge show all", "group show channels", "followme show", "memory show allocations", "astobj2 show stats"),
    *("ari show users", "dundi show mappings", "core show translation recalc 10", "realtime show pgsql status"),
]
# What looks like one command and is another to the console, which knows quotes, backslashes and any case.
DISGUISED = [
    *("DATABASE SHOW", "Core Show Channels", '"database" show', "data\\base show", "database  show", " database show"),
    *("core show uptime\n", "core show uptime\r\nAction: Originate", "core show uptime\0", "core show\tuptime"),
    *("!sh show", "core show uptime;core stop now", "odbc show ", "odbc show | cat", "odbc show $(x)", "show `x`"),
    *("", "odbc", "ödbc show", "odbc show \u2028", "core show 'uptime'", "odbc show " + "x" * 100),
]


@pytest.mark.parametrize("command", ALLOWED)
def test_what_only_shows_may_be_sent(command: str) -> None:
    assert refusal(command) == ""
    assert cli(command).label == command


@pytest.mark.parametrize("command", [*CHANGING, *SHOWING, *DISGUISED])
def test_everything_else_is_refused_with_a_reason(command: str) -> None:
    assert refusal(command)
    with pytest.raises(ForbiddenAction, match=r"never sent|cannot carry"):
        cli(command)


def test_there_are_more_than_forty_of_them() -> None:
    assert len({*SHOWING, *CHANGING}) > 60


def test_the_reason_names_what_it_would_print_and_where_that_is_written() -> None:
    assert refusal("iax2 show users") == (
        "it prints the users' secrets (channels/chan_iax2.c: handle_cli_iax2_show_users)"
    )
    assert str(MAX_COMMAND) in refusal("odbc show " + "x" * 100)


def test_each_entry_of_the_list_refuses_something() -> None:
    for rule in REFUSED:
        assert rule.why, rule.pattern
        assert rule.source, rule.pattern
        assert rule.pattern == rule.pattern.lower()


@given(st.text(max_size=60))
def test_no_character_that_means_something_to_ami_or_the_console_gets_through(text: str) -> None:
    for command in (text, f"odbc show {text}"):
        if not refusal(command):
            assert command.isascii()
            assert not set(command) & set("\r\n\0\t;!\"'\\|&$`<>()[]{}*?~#^%")
            assert "  " not in command
