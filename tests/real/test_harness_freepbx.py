"""The FreePBX-like server has what FreePBX would have written."""

from __future__ import annotations

import re

from tests.support.pbx_pair import RichPbx


def test_three_hundred_extensions_twenty_of_them_registered(freepbx_server: RichPbx) -> None:
    with freepbx_server.server.ami() as ami:
        endpoints = ami.items("PJSIPShowEndpoints", "EndpointListComplete")
    extensions = [endpoint for endpoint in endpoints if re.fullmatch(r"[2-4]\d\d", endpoint["ObjectName"])]
    assert len(extensions) == 300
    assert sum(endpoint["DeviceState"] != "Unavailable" for endpoint in extensions) == 20
    assert {"Sip Trunk.Berlin", "Backup.Trunk 2", "carrier-ip", "anonymous", "dpma_endpoint"} == {
        endpoint["ObjectName"] for endpoint in endpoints if endpoint not in extensions
    }


def test_trunks_with_spaces_and_dots_register_and_carry_calls(freepbx_server: RichPbx) -> None:
    assert re.search(r"Sip Trunk\.Berlin/.* Registered ", freepbx_server.server.cli("pjsip show registrations"))
    channels = freepbx_server.server.cli("core show channels concise")
    assert len(re.findall(r"^PJSIP/Sip Trunk\.Berlin-", channels, re.MULTILINE)) == 2
    assert len(re.findall(r"^PJSIP/carrier-ip-", channels, re.MULTILINE)) == 1


def test_queues_have_members_behind_hints_and_callers(freepbx_server: RichPbx) -> None:
    assert freepbx_server.server.cli("queue show 601").startswith("601 has 2 calls (max 10) in 'rrmemory' strategy")
    assert "Frida Frost (Local/200@from-queue/n from hint:200@ext-local)" in freepbx_server.server.cli("queue show 600")
