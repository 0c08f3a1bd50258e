"""Channels without an application, for which Asterisk's Status writes (null), on real servers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support.ami_raw import Fields, RawAmi
from tests.support.asterisk_server import AsteriskServer
from tests.support.watching import agree, watching


def test_a_bridged_channel_without_dialplan_is_a_channel_of_no_application(
    asterisk: AsteriskServer, tmp_path: Path
) -> None:
    with watching(asterisk, tmp_path, "all") as running, asterisk.ami() as ami:
        asterisk.originate_local(2)
        one, other = (item["Channel"] for item in status(ami) if item["Channel"].endswith(";1"))
        assert ami.action("Bridge", Channel1=one, Channel2=other)["Response"] == "Success"
        agree(lambda: Counter(item["Application"] for item in status(ami)), lambda: {"Wait": 2, "(null)": 2})
        scrape = running.get()
        assert scrape.by("asterisk_application_channels", "application") == {("Wait",): 2.0}
        assert scrape.total("asterisk_active_channels", technology="Local") == 4
        assert "(null)" not in scrape.body
    asterisk.hang_up_all()


def status(ami: RawAmi) -> list[Fields]:
    return ami.items("Status", "StatusComplete")
