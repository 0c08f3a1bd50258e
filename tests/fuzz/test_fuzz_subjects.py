"""The fuzzing subjects, some seconds of hypothesis each: bytes, and packets made of words that mean something."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_exporter.ami.actions import ACTIONS
from ami_exporter.ami.event_classes import EVENT_CLASSES
from tests.fuzz import subjects
from tests.fuzz.seeds import seeds
from tests.fuzz.subjects import SUBJECTS

pytestmark = pytest.mark.slow

EVENTS = sorted({item for spec in ACTIONS.values() for item in spec.items} | set(EVENT_CLASSES))
HEADERS = """
    Channel ChannelState Uniqueid Linkedid Queue Calls Max Status Paused CallsTaken Name Location Wait Cause DialStatus
    DestChannel DestUniqueid ObjectName Endpoint State DeviceState Device Contacts Aor URI EndpointName RoundtripUsec
    Parkinglot Conference Parties MessageCount Output Uptime Nativeformats Readtrans Seconds Duration Report0IAJitter
    RTT MES Application HoldTime TalkTime Position Interface Reason Bridgeuniqueid BridgeUniqueid Result Username
""".split()  # noqa: SIM905 - one name a line would be sixty lines
VALUES = [
    "",
    "0",
    "1",
    "-1",
    "9" * 400,
    "nan",
    "1e400",
    "PJSIP/telco-1",
    "Local/1@x;1",
    "sales",
    'a"\\',
    "6",
    "Up",
    "\x00",
]

line = st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | st.text(max_size=8)).map(": ".join)
body = st.lists(line, max_size=8).map(lambda lines: "".join(f"{each}\r\n" for each in lines))
message = st.tuples(st.sampled_from(EVENTS), body).map(lambda parts: f"Event: {parts[0]}\r\n{parts[1]}\r\n")
response = body.map(lambda text: f"Response: Success\r\n{text}\r\n")
WIRE = st.lists(message | response, max_size=8).map(lambda packets: "".join(packets).encode("utf-8", "replace"))


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes(subject: Callable[[bytes], None], data: bytes) -> None:
    subject(data)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WIRE)
def test_any_messages_fold_into_valid_text(data: bytes) -> None:
    subjects.codec(b"\x05" + data)
    subjects.scrape(data)


@settings(max_examples=200)
@given(st.text("[]=&%+collectxudgpb1 \x00é", max_size=60))
def test_any_query(text: str) -> None:
    subjects.url(text.encode())


def test_the_seeds_themselves_hold() -> None:
    for seed in seeds("scrape")[::8]:
        subjects.scrape(seed)
        subjects.codec(b"\x03" + seed)
