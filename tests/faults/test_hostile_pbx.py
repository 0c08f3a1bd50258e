"""A PBX that means harm, or is out of its mind: text stays valid, scrapes end, memory stays."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ami_server import Fields, Session
from tests.support.ami_wire import packet
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.scripted_pbx import CALL, QUEUE, Hook, Item, ScriptedPbx
from tests.support.targets import has, listening, scrape, target, until, value

pytestmark = pytest.mark.slow

START = (("EventList", "start"), ("Message", "list will follow"))


def endless(first: bytes, piece: bytes) -> Hook:
    """Answer with bytes that have no end."""

    def send(session: Session, action: Fields) -> None:
        own = action["ActionID"].encode()
        with contextlib.suppress(OSError):
            session.send(first.replace(b"@ID@", own))
            while True:
                session.send(piece.replace(b"@ID@", own))

    return send


ITEM = b"Event: Status\r\nActionID: @ID@\r\nChannel: PJSIP/1-1\r\nChannelState: 6\r\nLinkedid: 1.1\r\n\r\n"
OPENING = b"Response: Success\r\nActionID: @ID@\r\nEventList: start\r\n\r\n"


@pytest.mark.parametrize(
    ("hook", "kind"),
    [
        (endless(b"Response: Success\r\nActionID: @ID@\r\nX: ", b"y" * 8192), "line_too_long"),
        (endless(b"Response: Success\r\nActionID: @ID@\r\n", b"X: y\r\n" * 2000), "too_many_headers"),
        (endless(b"Response: Success\r\nActionID: @ID@\r\n", b"X: " + b"y" * 60000 + b"\r\n"), "packet_too_large"),
        (endless(OPENING, ITEM * 100), None),
        (endless(b"", b"\r\n" * 4096), None),
        (endless(b"", b"Event: Noise\r\nA: b\r\n\r\n" * 100), None),
        (endless(b"", b"Response: Success\r\nActionID: @ID@x\r\n\r\n" * 100), "unexpected_answer"),
    ],
    ids=["line", "headers", "packet", "list", "blank lines", "events", "answers"],
)
def test_what_has_no_end_ends_with_the_deadline_or_a_bound(hook: Hook, kind: str | None) -> None:
    with ScriptedPbx(hooks={"Status": hook}) as pbx, target(pbx.port) as one:
        begun = time.monotonic()
        found = scrape(one, 0.8)
        assert time.monotonic() - begun < 3.0
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 0
        assert value(found, "asterisk_queue_callers", queue="sales") == 3
        assert not has(found, "asterisk_active_channels")
        assert kind is None or (value(found, "ami_exporter_protocol_errors_total", kind=kind) or 0) > 0
        pbx.hooks.clear()
        assert value(scrape(one), "asterisk_active_calls") == 1


def test_a_list_that_completes_twice_counts_once_and_the_rest_as_a_fault() -> None:
    def twice(session: Session, action: Fields) -> None:
        packets = pbx.answer(action, [CALL])
        session.send(*packets, packets[1], packets[2])

    with ScriptedPbx({"QueueStatus": [QUEUE], "Status": [CALL]}, {"Status": twice}) as pbx, target(pbx.port) as one:
        scrape(one)
        found = scrape(one)
        assert value(found, "asterisk_active_calls") == 1
        assert value(found, "asterisk_active_channels", technology="PJSIP", state="up") == 1
        assert value(found, "ami_exporter_link_connects_total", link="poll") == 1
        assert (value(found, "ami_exporter_protocol_errors_total", kind="repeated_completion") or 0) >= 1


def test_items_and_ends_with_other_action_ids_belong_to_nobody() -> None:
    def confused(session: Session, action: Fields) -> None:
        strangers = [{"ActionID": number} for number in ("", "1", action["ActionID"] + "0", "x" * 500)]
        for stranger in strangers:
            session.send(*pbx.answer({"Action": "Status", **stranger}, [CALL] * 3))
        pbx.obey(session, action)

    with ScriptedPbx(hooks={"Status": confused}) as pbx, target(pbx.port) as one:
        found = scrape(one)
        assert value(found, "asterisk_active_channels", technology="PJSIP", state="up") == 1
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 1


NAMES = [
    b'quo"te',
    b"back\\slash",
    b"back\\",
    b"\\n",
    b'"} 1\\n',
    b"NUL\0in it",
    b"\xed\xa0\x80 surrogate",
    b"\xff\xfe\x80 no UTF-8",
    "\u202eright to left".encode(),
    "line\u2028separator \u0085next".encode(),
    b"\x1b[31mred",
    b"tab\there",
    "\U0001f4de".encode(),
    b"{}#,=",
    b"x" * 5000,
]


def test_bytes_that_break_labels_are_labels_all_the_same() -> None:
    def strange(session: Session, action: Fields) -> None:
        own = action["ActionID"].encode()
        items = [
            b"Event: QueueParams\r\nQueue: %b\r\nStrategy: %b\r\nCalls: 1\r\nActionID: %b\r\n\r\n" % (name, name, own)
            for name in NAMES
        ]
        opening, end = pbx.answer(action, [])
        session.send(opening, *items, end.replace(b"ListItems: 0", b"ListItems: %d" % len(items)))

    with ScriptedPbx(hooks={"QueueStatus": strange}) as pbx, target(pbx.port, events=True) as one:
        found = scrape(one)
        queues = {dict(labels)["queue"] for name, labels in found if name == "asterisk_queue_callers"}
        assert len(queues) == len(NAMES)
        assert value(found, "asterisk_scrape_collector_success", collector="queues") == 1
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        before = one.stats.events_received
        events = next(session for session in pbx.sessions if session.seen and session.seen[0]["Events"] != "system")
        for name in NAMES:
            events.send(
                b"Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nQueue: %b\r\nUniqueid: %b\r\n\r\n" % (name, name)
            )
            events.send(
                b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: %b/x-1\r\nUniqueid: 1\r\nLinkedid: 1\r\n\r\n"
                % name
            )
        until(lambda: one.stats.events_received == before + 2 * len(NAMES))
        assert has(scrape(one), "asterisk_queue_calls_total")


NUMBERS = ["-1", "1e400", "-1e400", "nan", "inf", "", " ", "9" * 400, "0x10", "1_000", "٣", "1,5", "--", "NaN%"]
FIELDS = (
    "Calls",
    "Max",
    "Holdtime",
    "TalkTime",
    "Completed",
    "Abandoned",
    "ServiceLevel",
    "ServicelevelPerf",
    "Weight",
)
CHANNEL_FIELDS = ("ChannelState", "Seconds", "Uniqueid", "Linkedid", "Duration", "Application", "Nativeformats")


def test_numbers_out_of_range_are_no_samples_and_no_harm() -> None:
    queues: list[Item] = [
        (("Event", "QueueParams"), ("Queue", f"q{at}"), *((name, number) for name in FIELDS))
        for at, number in enumerate(NUMBERS)
    ]
    members: list[Item] = [
        (
            *(("Event", "QueueMember"), ("Queue", f"q{at}"), ("Name", "m"), ("Interface", "PJSIP/1")),
            *((name, number) for name in ("Status", "Paused", "CallsTaken", "LastCall", "Penalty", "InCall")),
        )
        for at, number in enumerate(NUMBERS)
    ]
    calls: list[Item] = [
        (("Event", "Status"), ("Channel", "PJSIP/1-1"), *((name, number) for name in CHANNEL_FIELDS))
        for number in NUMBERS
    ]
    lists = {"QueueStatus": [*queues, *members], "Status": calls}
    with ScriptedPbx(lists) as pbx, target(pbx.port) as one:
        found = scrape(one)
        for collector in ("queues", "channels"):
            assert value(found, "asterisk_scrape_collector_success", collector=collector) == 1
        polled = [number for (name, _), number in found.items() if name.startswith(("asterisk_queue", "asterisk_act"))]
        assert polled
        assert all(0 <= number < 1e300 for number in polled)


def bare_queues(count: int) -> Iterator[bytes]:
    """Items of so many queues, in one piece for each thousand; @ID@ is the ActionID."""
    for first in range(0, count, 1000):
        yield b"".join(
            b"Event: QueueParams\r\nQueue: q%06d\r\nCalls: 1\r\nHoldtime: 2\r\nActionID: @ID@\r\n\r\n" % number
            for number in range(first, first + 1000)
        )


def resident(running: ExporterProcess) -> float:
    """Resident memory of the exporter in MB."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def flags(port: int) -> list[str]:
    return ["--ami.address", f"127.0.0.1:{port}", "--ami.username", "exporter"]


ENVIRON = {"AMI_EXPORTER_AMI_SECRET": "hunter2"}


def test_a_hundred_thousand_queues_are_a_thousand_series_and_little_memory(tmp_path: Path) -> None:
    count = 100_000
    pieces = list(bare_queues(count))

    def many(session: Session, action: Fields) -> None:
        own = action["ActionID"].encode()
        opening, end = pbx.answer(action, [])
        session.send(opening)
        for piece in pieces:
            session.send(piece.replace(b"@ID@", own))
        session.send(end.replace(b"ListItems: 0", b"ListItems: %d" % count))

    file = tmp_path / "patient.yml"
    user = "username: exporter, secret: hunter2, timeout: 60s"
    with ScriptedPbx({"QueueStatus": []}) as pbx:
        file.write_text(f"targets: {{pbx: {{address: '127.0.0.1:{pbx.port}', {user}}}}}\n")
        with exporter("--config.file", str(file)) as running:
            until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1)
            before = resident(running)
            pbx.hooks["QueueStatus"] = many
            found = running.get(headers={"X-Prometheus-Scrape-Timeout-Seconds": "29"})
            grown = resident(running) - before
    series = found.series()
    assert sum(name == "asterisk_queue_callers" for name, _ in series) == 1000
    assert value(series, "asterisk_queue_callers", queue="q000999") == 1
    dropped = value(series, "ami_exporter_series_dropped_total", metric="asterisk_queue_callers")
    assert dropped == count - 1000
    assert value(series, "asterisk_scrape_collector_success", collector="queues") == 1
    assert grown < 40


def test_a_hundred_thousand_events_of_unknown_names_are_counted_and_leave_nothing_behind() -> None:
    count, batch = 100_000, 1000
    with ScriptedPbx() as pbx, exporter(*flags(pbx.port), environ=ENVIRON) as running:
        until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1)
        events = next(session for session in pbx.sessions if session.seen[1]["Events"] != "system")

        def send(first: int, last: int) -> None:
            begun = running.get().total("ami_exporter_events_received_total")
            for at in range(first, last, batch):
                numbers = range(at, at + batch)
                events.send(
                    b"".join(
                        b"Event: Mad%06d\r\nPrivilege: call,all\r\nField%06d: %06d\r\n\r\n" % (n, n, n) for n in numbers
                    )
                )
            until(lambda: running.get().total("ami_exporter_events_received_total") == begun + last - first)

        send(0, count // 10)  # the memory that reading and a scrape need once
        before = resident(running)
        send(count // 10, count)
        found = running.get()
        assert found.value("asterisk_up") == 1
        assert sum(name == "asterisk_events_total" for name, _ in found.series()) < 100
        # One read of half a megabyte is ten thousand of these messages, 20 MB; kept, all would be 100 MB.
        assert resident(running) - before < 40


def test_the_start_of_a_list_without_its_items_is_no_zero() -> None:
    def only_start(session: Session, action: Fields) -> None:
        session.send(packet(("Response", "Success"), ("ActionID", action["ActionID"]), *START))

    with ScriptedPbx(hooks={"QueueStatus": only_start}) as pbx, target(pbx.port) as one:
        found = scrape(one, 0.3)
        assert not has(found, "asterisk_queue_callers")
        assert value(found, "asterisk_scrape_collector_success", collector="queues") == 0
