"""No fault repeats what stands in the file: a secret may be anywhere in it, misspelt or mistaken for YAML."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.cli import main
from ami_exporter.commands.flags import COMMANDS, USAGE
from ami_exporter.config.amiflags import AmiFlags, settings_from_ami_flags
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load
from ami_exporter.config.secret import Secret
from tests.support.config_catalogue import catalogue

HERE = Path(__file__).parent
PLANTED = "Tr0ub4dor"
GOOD = (HERE / "good/everything.yml").read_text()
HEAD = "targets:\n  pbx1:\n    address: pbx1.example.net\n    username: exporter\n"

#: How a person writes a text without quotes that YAML reads as something else.
FORMS = [
    "*{}", "!{}", "!!{}", "!{}!x", "!<{}>", "&{}", "&{} *{}", "*{} x", "&x {} &y", "%{}", "@{}", "`{}", "|{}", ">{}",
    "{{{}}}", "[{}]", "{{{}: x}}", "{{{}: x, {}: y}}", "[{}, {}]", "{{{}", "[{}", '"{}', "'{}",
    '"{}" x', "'{}'x", '"\\{}"',
    "{}: x", "x: {}", "{}: {}", "- {}", "? {}", "!x {}", "\n      {}", "\n      {}: x", "\n      {}: x\n      {}: y",
    "\n      - {}", "\n  {}", "\n  {}: x", "\n{}", "|\n      {}\n      {}", ">\n   {}\n  x",
    "|2\n {}", "<<: {}", "{{<<: {}}}",
    "{}\n    secret: {}", "{}\n  x", "\t{}", "{}\x07", "{}\n---\n{}", "---\n{}", "...{}", "{}\x00",
    "\\{}", "{}#{}: x", "-{}",
    "12{}", "0x{}", "x:{}: y", "{}\n    {}: x\n    {}: y", "<<{}", "=", "~", "",
]  # fmt: skip
SECRETIVE = ["secret", "secret_file", "secret_env", "password", "username", "address", "tls", "collectors", "trunks"]
SECRETS = [PLANTED, f"a/{PLANTED.upper()}!#%"]


def faults(text: str) -> str | None:
    """The faults of a configuration as anybody gets to see them; None: it is good."""
    try:
        load(str(HERE / "good" / "planted.yml"), text, catalogue())
    except ConfigErrors as errors:
        trace = "".join(traceback.format_exception(errors))
        return f"{errors}\n{trace}\n{errors!r}\n{[str(fault) for fault in errors.faults]}"
    return None


def clean(told: str | None) -> bool:
    return told is None or PLANTED.lower() not in told.lower()


@pytest.mark.parametrize("key", SECRETIVE)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_without_quotes_is_repeated(key: str, form: str) -> None:
    for secret in SECRETS:
        for line in (f"    {key}: ", f"    {key}:", f"    {key}="):
            text = f"{HEAD}{line}{form.replace('{}', secret).replace('{{', '{').replace('}}', '}')}\n"
            assert clean(faults(text)), text


@pytest.mark.parametrize("written", ["*hunter2", "!hunter2", "!!hunter2"])
def test_a_text_that_looks_like_an_alias_or_a_tag_is_told_to_be_put_in_quotes(written: str) -> None:
    told = faults(f"{HEAD}    secret: {written}\n")
    assert told is not None
    assert "put the text in quotes" in told
    assert "hunter2" not in told


def places(node: object, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a value in a document."""
    yield steps
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in children:
        yield from places(child, (*steps, step))


def changed(node: object, steps: tuple[str | int, ...], change: object, *, key: bool) -> object:
    """The document with another value, or with another key, at a place."""
    if not steps:
        return change
    step, rest = steps[0], steps[1:]
    if isinstance(node, list):
        return [changed(child, rest, change, key=key) if at == step else child for at, child in enumerate(node)]
    assert isinstance(node, dict)
    if key and not rest:
        return {(change if name == step else name): child for name, child in node.items()}
    return {name: changed(child, rest, change, key=key) if name == step else child for name, child in node.items()}


FURTHER = """
targets:
  pbx1:
    address: pbx1.example.net
    username: exporter
    secret: s
    command_user: {username: cli, secret: s}
    canaries:
      a:
        {channel: PJSIP/+4930123456@telco, user: {username: caller, secret_env: PBX_SECRET}, interval: 15m,
        ring_timeout: 20s, duration: 10s, audio: rtp, max_calls_per_day: 10, internal: false}
custom:
  - command: odbc show
    read: {match: '(?P<pool>x)'}
    expect: DSN
    within: '(?P<section>y)'
    empty: none
    where: {pool: x}
    metrics: [{name: asterisk_custom_x, type: gauge, help: X., value: pool, labels: {pool: pool}}]
  - command: odbc show
    read: {fields: {begin: Name}}
    metrics: [{name: asterisk_custom_y, type: gauge, help: X.}]
  - command: odbc show
    read: {table: {head: Name, end: end, titles: [Name, State]}}
    metrics: [{name: asterisk_custom_z, type: gauge, help: X.}]
"""
DOCUMENTS = [yaml.safe_load(GOOD), yaml.safe_load(FURTHER)]
PLACES = [(document, steps) for document in DOCUMENTS for steps in places(document) if steps]
#: What may hold the planted text: a name in a place where names are public is shown, so it is one that no name can be.
VALUES = st.sampled_from([
    f"{PLANTED} !", f"*{PLANTED}", [f"{PLANTED}!"], {f"{PLANTED} x": 1}, {f"{PLANTED}=": None}, {"x y": f"{PLANTED} "},
    {f"{PLANTED}!": f"{PLANTED}!"}, [[f"{PLANTED}!"]], {"secret": {f"{PLANTED}": None}},
    f"(?P<{PLANTED}", f"PjSip/{PLANTED}",
    f"{PLANTED}\n", f"\0{PLANTED}", f"u:{PLANTED}@x:99999", f"{PLANTED}{'x' * 5000}",
])  # fmt: skip


@given(st.sampled_from(PLACES), VALUES, st.booleans())
def test_a_secret_at_any_place_of_a_file_is_not_repeated(
    place: tuple[object, tuple[str | int, ...]], value: object, key: bool
) -> None:
    document, steps = place
    if key and (not isinstance(steps[-1], str) or not isinstance(value, str)):
        return
    assert clean(faults(yaml.safe_dump(changed(document, steps, value, key=key))))


def test_the_document_of_further_users_is_good() -> None:
    assert faults(FURTHER) is None


@given(
    st.sampled_from([GOOD, FURTHER]), st.integers(0, max(len(GOOD), len(FURTHER))), st.integers(0, 30),
    st.sampled_from(FORMS),
)  # fmt: skip
def test_a_secret_written_over_any_piece_of_a_file_is_not_repeated(
    good: str, start: int, length: int, form: str
) -> None:
    piece = form.replace("{}", f"{PLANTED}=").replace("{{", "{").replace("}}", "}")
    assert clean(faults(good[:start] + piece + good[start + length :]))


@pytest.mark.parametrize("secret", ["two\nlines", "nul\0", "x" * 1000, "\ud800"])
def test_a_secret_of_the_environment_or_of_a_flag_is_not_repeated(secret: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        settings_from_ami_flags(
            AmiFlags("pbx:x:" + PLANTED, "u\n" + PLANTED, Secret(PLANTED + secret), tls_ca_file=PLANTED), catalogue()
        )
    assert clean("".join(traceback.format_exception(caught.value)))


FLAGS = sorted({(command.name, flag.name) for command in COMMANDS.values() for flag in command.flags})
PATHS = ("config.file", "web.config.file")
"""Their values are said, as the file of each fault."""


@pytest.mark.parametrize(("command", "flag"), [one for one in FLAGS if one[1] not in PATHS])
def test_a_secret_as_the_value_of_any_flag_or_variable_is_not_repeated(
    command: str, flag: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    variable = "AMI_EXPORTER_" + flag.upper().replace(".", "_").replace("-", "_")
    written = f"{PLANTED} ?"
    for argv, environ in (([f"--{flag}={written}"], {}), ([f"--{flag}", written], {}), ([], {variable: written})):
        with contextlib.suppress(SystemExit):
            main([command, *argv, "--log.level=x"] if command != "metrics" else [command, *argv], environ)
        captured = capsys.readouterr()
        assert clean(captured.err + captured.out + caplog.text)


@pytest.mark.parametrize(
    "argv",
    [
        [PLANTED], ["-p" + PLANTED], ["--" + PLANTED], [f"--ami.tls={PLANTED}"], ["scrape", "a",
        PLANTED], ["--secret", PLANTED],
        ["--ami.secret=" + PLANTED], ["--ami.secret-" + PLANTED], ["--ami.password", PLANTED],
        ["completion", PLANTED],
        ["serve", "--no-ami.tls=" + PLANTED], ["check", "-p", PLANTED], ["--ami.secret:" + PLANTED],
    ],
)  # fmt: skip
def test_a_secret_anywhere_on_the_command_line_is_not_repeated(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv, {}) == USAGE
    captured = capsys.readouterr()
    assert clean(captured.err + captured.out)
