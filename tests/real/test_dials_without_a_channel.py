"""A Dial that fails before there is a channel, on real servers: what is counted of it, and what the recipe counts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.ami_raw import EventRecorder
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess
from tests.support.planted import AMI_SECRETS
from tests.support.recipes import recipe
from tests.support.server_pair import started
from tests.support.watching import agree, watching

# A trunk whose address of record has no contact.
TRUNK = """
[transport-udp]
type = transport
protocol = udp
bind = @ADDRESS@:@PJSIP_PORT@

[telco-a]
type = endpoint
context = nowhere
aors = telco-a
disallow = all
allow = ulaw
[telco-a]
type = aor
max_contacts = 1
"""
# Its last two lines are those of docs/custom-metrics.md.
DIALPLAN = """
[general]
static = yes
writeprotect = yes

[out]
exten => _0.,1,Dial(PJSIP/${EXTEN:1}@telco-a)
 same => n,UserEvent(DialResult,Trunk: telco-a,Status: ${DIALSTATUS})
"""
COUNTED = "asterisk_custom_dials_without_channel_total"
CALLS = 3


def up(running: ExporterProcess, link: str) -> bool:
    return running.get().value("ami_exporter_link_up", link=link) == 1


@pytest.mark.parametrize("major", [22, 16])
def test_it_counts_as_an_unanswered_internal_call_and_by_the_recipe(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path, major: int
) -> None:
    files = {"etc/pjsip.conf": TRUNK, "etc/extensions.conf": DIALPLAN}
    server = AsteriskServer(asterisk_roots[major], tmp_path / "pbx", files=files)
    with (
        started(server),
        watching(server, tmp_path, "all", custom=recipe(COUNTED)) as running,
        EventRecorder(server.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        server.ami() as ami,
    ):
        for link in ("events", "user_events"):
            wait_until(partial(up, running, link), 20, f"the link {link}")
        wait_until(lambda: running.get().total("asterisk_trunk_info", trunk="telco-a") == 1, 20, "the trunk")
        for number in range(CALLS):
            ami.originate(f"Local/0{number}@out", Application="Wait", Data="1", Timeout="9000")
        recorder.wait_for(lambda seen: len(seen.events("UserEvent")) == CALLS, 20)
        recorder.wait_for(lambda seen: len(seen.events("Hangup")) == 2 * CALLS, 20)

        # All that Asterisk says of it is what the dialplan says.
        assert {event["Channel"].partition("/")[0] for event in recorder.events("Newchannel")} == {"Local"}
        dials = [event for name in ("DialBegin", "DialEnd") for event in recorder.events(name)]
        assert [event for event in dials if event["DestChannel"].startswith("PJSIP/")] == []
        assert recorder.count_by("UserEvent", "Status") == {("CHANUNAVAIL",): CALLS}

        agree(lambda: running.get().by(COUNTED, "trunk"), lambda: {("telco-a",): float(CALLS)})
        scrape = running.get()
        assert scrape.by("asterisk_calls_total", "direction", "outcome") == {("internal", "unanswered"): CALLS}
        for name in ("asterisk_trunk_calls_total", "asterisk_trunk_hangups_total"):
            assert (scrape.total(name, trunk="telco-a"), scrape.by(name, "trunk")) == (0, {})
