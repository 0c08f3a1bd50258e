"""The transcript of a scripted PBX: streamed, whole or not, harmless to a terminal."""

from __future__ import annotations

import io

from ami_exporter.commands.capture.command import safe_lists, transcribe
from tests.support.ami_server import Fields, Session
from tests.support.captures import read
from tests.support.scripted_pbx import CALL, QUEUE, ScriptedPbx
from tests.support.targets import settings

ESCAPING = (("Event", "QueueParams"), ("Queue", "sales\x1b[2Jdesk"), ("Strategy", "ring\x1ball"))


def captured(pbx: ScriptedPbx, timeout: float = 10.0) -> tuple[bool, str]:
    out = io.StringIO()
    whole = transcribe(settings(pbx.port, timeout=timeout), out)
    return whole, out.getvalue()


def test_lists_come_as_packets_with_their_names_replaced() -> None:
    with ScriptedPbx({"QueueStatus": [QUEUE], "Status": [CALL]}) as pbx:
        whole, text = captured(pbx)
    assert whole
    assert text.split("\n\n")[4:] == [
        "action: QueueStatus",
        "event: QueueParams\nqueue: w1\ncalls: 3\nholdtime: 5\ncompleted: 9",
        "answer: complete",
        "action: Status",
        (
            "event: Status\nchannel: PJSIP/9001-00000001\nchannelstate: 6\napplication: Dial\n"
            "uniqueid: 9002.9002\nlinkedid: 9002.9002\nseconds: 7"
        ),
        "answer: complete",
        "",
    ]


def test_control_characters_do_not_reach_a_terminal() -> None:
    with ScriptedPbx({"QueueStatus": [ESCAPING]}) as pbx:
        _, text = captured(pbx)
    assert text.replace("\n", "").isprintable()
    assert "strategy: ring?all" in text


def test_a_list_that_is_cut_is_told_and_the_next_ones_follow() -> None:
    with ScriptedPbx({"QueueStatus": [QUEUE], "Status": [CALL]}) as pbx:

        def cut(session: Session, action: Fields) -> None:
            session.send(pbx.answer(action, [QUEUE])[0])
            session.connection.close()

        pbx.hooks["QueueStatus"] = cut
        whole, text = captured(pbx)
    assert not whole
    found = {action.name: one for action, one in read(text).items()}
    assert found["QueueStatus"].outcome == ["cut"]
    assert found["Status"].outcome == ["complete"]


def test_a_refused_list_is_no_failure_of_the_capture() -> None:
    def refuse(session: Session, action: Fields) -> None:
        session.answer(action, ("Message", "Permission denied"), response="Error")

    with ScriptedPbx({"QueueStatus": [QUEUE]}, {"QueueStatus": refuse}) as pbx:
        whole, text = captured(pbx)
    assert whole
    assert "answer: refused\nmessage: Permission denied" in text


def test_what_is_captured_needs_no_parameter_and_no_console() -> None:
    names = [action.name for action in safe_lists()]
    assert len(names) > 25
    assert not {"Command", "MWIGet"} & set(names)
    assert names.index("Ping") < names.index("QueueStatus") < names.index("Status")
