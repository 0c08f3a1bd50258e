"""Registrations and their trunks, on real servers: several of one trunk, none that names it, one that is given up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, own_address, wait_until
from tests.support.pbx_pair import RichPbx, Seen, make_pair, running, wait_for
from tests.support.server_pair import started
from tests.support.watching import agree, watching

GIVES_UP = """
[general]
bindaddr = @ADDRESS@
bindport = @SIP_PORT@
context = nowhere
registertimeout = 1
registerattempts = 1
register => account:secret@@NOBODY@:5999
"""
GIVEN_UP = """
    trunks:
      - {name: line, match: SIP/line, registration: "account@NOBODY"}
"""

# The provider accepts pbx-account, and refuses the others.
TRUNKS = """
[transport-udp]
type = transport
protocol = udp
bind = @ADDRESS@:@PJSIP_PORT@

[trunk](!)
type = endpoint
context = from-trunk
transport = transport-udp
disallow = all
allow = ulaw
[account](!)
type = auth
auth_type = userpass
username = pbx-account
password = @TRUNK_SECRET@
[registration](!)
type = registration
transport = transport-udp
server_uri = sip:@PROVIDER@:5060
client_uri = sip:pbx-account@@PROVIDER@:5060
@AT_ONCE@
auth_rejection_permanent = yes
[wrong](!)
type = auth
auth_type = userpass
username = rejected-account
password = @WRONG_SECRET@
[refused](!,registration)
client_uri = sip:rejected-account@@PROVIDER@:5060

; Two registrations name it; the refused one is the first.
[two](trunk)
aors = two
outbound_auth = good
[two]
type = aor
contact = sip:@PROVIDER@:5060
[good](account)
[bad](wrong)
[a-main](refused)
outbound_auth = bad
endpoint = two
line = yes
[b-backup](registration)
outbound_auth = good
endpoint = two
line = yes

; Its registration has only its name.
[by-name](trunk)
aors = by-name
[by-name]
type = aor
contact = sip:@PBX@:5998
[by-name](refused)
outbound_auth = bad

; Its registration has only its account.
[by-account](trunk)
aors = by-account
outbound_auth = only
[by-account]
type = aor
contact = sip:@PBX@:5997
[only](wrong)
[c-account](refused)
outbound_auth = only

; Its registration has only its host.
[by-host](trunk)
aors = by-host
[by-host]
type = aor
contact = sip:@CARRIER@:5060
[other](wrong)
[d-host](refused)
server_uri = sip:@CARRIER@:5060
client_uri = sip:rejected-account@@CARRIER@:5060
outbound_auth = other
"""
REGISTRATIONS = {"a-main": 0.0, "b-backup": 1.0, "by-name": 0.0, "c-account": 0.0, "d-host": 0.0}
OWNERS = {"a-main": "two", "b-backup": "two", "by-name": "by-name", "c-account": "by-account", "d-host": "by-host"}


@pytest.fixture(params=[22, 16], ids=["asterisk22", "asterisk16"])
def pair(request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path) -> Iterator[RichPbx]:
    root, files = asterisk_roots[request.param], {"etc/pjsip.conf": TRUNKS}
    pbx = make_pair(root, asterisk_roots[22], tmp_path, template="base", files=files, peer_files={})
    with running(pbx):
        word = {0.0: "Rejected", 1.0: "Registered"}
        wait_for(
            pbx.server, [Seen("pjsip show registrations", rf"{n}/.* {word[up]} ") for n, up in REGISTRATIONS.items()]
        )
        yield pbx


def test_a_trunk_has_all_registrations_that_belong_to_it_and_is_up_while_one_is_accepted(
    pair: RichPbx, tmp_path: Path
) -> None:
    with watching(pair.server, tmp_path, "system") as running_:
        agree(
            lambda: running_.get().by("asterisk_trunk_info", "trunk", "registration"),
            lambda: {(trunk, registration): 1.0 for registration, trunk in OWNERS.items()},
        )
        scrape = running_.get()
        ups = {
            registration: scrape.value("asterisk_registration_up", technology="PJSIP", registration=registration)
            for registration in REGISTRATIONS
        }
        assert ups == REGISTRATIONS
        assert {trunk: scrape.value("asterisk_trunk_up", trunk=trunk) for trunk in OWNERS.values()} == {
            "two": 1,
            "by-name": 0,
            "by-account": 0,
            "by-host": 0,
        }


def test_a_registration_that_chan_sip_has_given_up_stays_and_is_down(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path
) -> None:
    nobody = own_address()
    files, values = {"etc/sip.conf": GIVES_UP}, {"NOBODY": nobody}
    server = AsteriskServer(asterisk_roots[16], tmp_path / "pbx", files=files, values=values)
    with started(server), watching(server, tmp_path, "all", GIVEN_UP.replace("NOBODY", nobody)) as running_:
        wait_until(lambda: " Failed " in server.cli("sip show registry"), 30, "that it is given up")

        def states() -> dict[str, float]:
            series = running_.get().series()
            return {
                dict(labels)["state"]: value
                for (name, labels), value in series.items()
                if name == "asterisk_registration_state"
            }

        agree(states, lambda: {state: float(state == "failed") for state in states()})
        scrape = running_.get()
        assert scrape.value("asterisk_registration_up", technology="SIP", registration=f"account@{nobody}") == 0
        assert scrape.value("asterisk_trunk_up", trunk="line") == 0
