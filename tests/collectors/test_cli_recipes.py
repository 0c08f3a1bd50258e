"""Every recipe of docs/custom-metrics.md, on an output of its command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ami_exporter.ami.actions import cli
from ami_exporter.ami.message import Message
from ami_exporter.collectors import custom
from ami_exporter.commands.loading import catalogue
from ami_exporter.config.custom_settings import CustomMetricsSettings
from ami_exporter.config.load import load
from tests.support.collecting import Samples, polled
from tests.support.documents import REPO

SAMPLES = REPO / "tests" / "captures" / "cli"
PAGE = (REPO / "docs" / "custom-metrics.md").read_text(encoding="utf-8")
TARGET = """
targets:
  pbx1: {address: pbx1, username: exporter, secret: x, command_user: {username: cli, secret: y}}
"""


def recipes() -> dict[str, tuple[CustomMetricsSettings, ...]]:
    """Command → its entries, loaded as the exporter does."""
    found: dict[str, tuple[CustomMetricsSettings, ...]] = {}
    for block in re.findall(r"```yaml\n(custom:.*?)```", PAGE, re.DOTALL):
        plain = yaml.safe_load(block)
        if "command" in plain["custom"][0]:
            settings = load("page.yml", TARGET + block, catalogue({}))
            found[plain["custom"][0]["command"]] = settings.custom
    return found


RECIPES = recipes()
EXPECTED: dict[str, dict[tuple[str, ...], float]] = {
    "g729 show licenses": {("g729_encoders",): 3, ("g729_decoders",): 2, ("g729_licensed",): 10},
    "odbc show": {
        ("odbc_connections", "asterisk"): 4,
        ("odbc_connections", "cdr pool"): 1,
        ("odbc_connections_limit",): 25,
    },
    "dahdi show status": {
        ("dahdi_card_alarm", "Wildcard TE131/TE133 Card 0"): 0,
        ("dahdi_card_alarm", "Wildcard TE420 (5th Gen) Quad-Span Card"): 1,
        ("dahdi_crc_errors", "Wildcard TE131/TE133 Card 0"): 7,
        ("dahdi_crc_errors", "Wildcard TE420 (5th Gen) Quad-Span Card"): 0,
    },
    "cdr show status": {("cdr_batch_records",): 37, ("cdr_batch_limit",): 100, ("cdr_enabled",): 1},
    "module show like odbc": {
        ("module_running", "cdr_adaptive_odbc.so"): 1,
        ("module_running", "func_odbc.so"): 1,
        ("module_running", "res_config_odbc.so"): 0,
        ("module_running", "res_odbc.so"): 1,
        ("module_running", "res_odbc_transaction.so"): 1,
    },
    "confbridge list": {
        ("conference_users", "weekly"): 3,
        ("conference_users", "Board Room.1"): 2,
        ("conference_marked", "weekly"): 1,
        ("conference_marked", "Board Room.1"): 0,
    },
    "rtp show settings": {("rtp_port_first",): 10000, ("rtp_port_last",): 20000, ("rtp_strict",): 1},
    "pjsip show channelstats": {
        ("media_lost_packets", "telco-a"): 1262,
        ("media_lost_packets", "1001"): 0,
        ("media_jitter_seconds", "telco-a"): 0.041,
        ("media_jitter_seconds", "1001"): 0.0,
        ("media_rtt_seconds", "telco-a"): 0.18,
        ("media_rtt_seconds", "1001"): 0.004,
    },
    "dongle show devices": {
        ("dongle_rssi", "dongle0"): 20,
        ("dongle_rssi", "dongle1"): 0,
        ("dongle_free", "dongle0"): 1,
        ("dongle_free", "dongle1"): 0,
        ("dongle_free", "dongle2"): 0,
    },
}


def one_line_a_header(text: str) -> Message:
    """The form of Asterisk 14 and later."""
    return Message.of([("response", "Success"), *(("output", line) for line in text.splitlines())])


def read(command: str, message: Message) -> Samples:
    return polled(custom.collector(RECIPES[command]), {cli(command): [message]})


def test_there_are_nine() -> None:
    assert sorted(RECIPES) == sorted(EXPECTED) == sorted(path.stem for path in SAMPLES.glob("*.txt"))
    assert len(RECIPES) == 9


@pytest.mark.parametrize("command", sorted(EXPECTED))
def test_a_recipe_reads_its_command(command: str) -> None:
    text = Path(SAMPLES / f"{command}.txt").read_text(encoding="utf-8")
    expected = {(f"asterisk_custom_{name}", *labels): value for (name, *labels), value in EXPECTED[command].items()}
    assert read(command, one_line_a_header(text)) == expected
    assert read(command, Message.of([("response", "Follows"), ("output", text)])) == expected
