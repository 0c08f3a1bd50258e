"""Configuration and certificate changed while scrapes go on: none is lost, and only what changed is touched."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess
from tests.support.fleet import Client, Fleet, Load, make_fleet, replace, watching

pytestmark = pytest.mark.slow

Running = tuple[Fleet, ExporterProcess, Client]
EVENTS = "ami_exporter_events_received_total"
CONNECTS = "ami_exporter_link_connects_total"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Six PBXs, both links of each up."""
    with make_fleet(tmp_path / "fleet", simulated=6) as fleet:
        # An exporter waits three seconds at its end for a PBX that hangs: not in each of these tests.
        del fleet.targets["hanging"]
        fleet.write()
        yield from _watched(fleet)


def _watched(fleet: Fleet) -> Iterator[Running]:
    with watching(fleet) as process:
        client = Client(fleet, process.port)
        for name in fleet.pbxs:
            wait_until(lambda name=name: connects(client, name) == {"poll": 1, "events": 1}, 20, f"links of {name}")  # type: ignore[misc]  # mypy cannot type a lambda's default
        yield fleet, process, client


def connects(client: Client, name: str) -> dict[str, float]:
    """Connections so far, by link."""
    return {link[0]: count for link, count in client.get(f"/probe?target={name}").by(CONNECTS, "link").items()}


def reloaded(process: ExporterProcess, times: int) -> bool:
    return process.log.count("configuration reloaded") == times


def test_a_reload_and_a_renewed_certificate_under_load_lose_no_scrape(running: Running) -> None:
    fleet, process, client = running
    first = client.certificate()
    with Load(fleet, process.port, list(fleet.pbxs)) as load:
        load.wait(50)
        renewed = fleet.renew_certificate()
        wait_until(lambda: client.certificate() == renewed, 5, "the new certificate, at the next connection")
        for step, site in enumerate(("oslo", "genoa", "porto"), start=1):
            fleet.targets["sim00"]["labels"] = {"site": site}
            fleet.write()
            if step % 2:
                process.signal(signal.SIGHUP)
            else:
                assert client.get("/-/reload", "POST").status == 200
            wait_until(lambda step=step: reloaded(process, step), 10, "the reload")  # type: ignore[misc]  # as above
            load.wait(30)
        fleet.renew_certificate()
        load.wait(50)
    assert first != renewed
    assert load.failures == []
    assert load.scrapes > 190
    assert "site: porto" in client.get("/config").body


def test_targets_that_did_not_change_keep_their_connections_and_their_counters(running: Running) -> None:
    fleet, _, client = running
    before = {name: client.get(f"/probe?target={name}").total(EVENTS) for name in fleet.pbxs}
    fleet.targets["sim01"]["timeout"] = "2s"
    fleet.targets["sim02"]["collectors"] = {"queues": {"enabled": False}}
    fleet.targets["sim03"]["labels"] = {"site": "elsewhere"}
    fleet.write()
    answer = client.get("/-/reload", "POST")
    assert (answer.status, answer.body.count("0 connected anew, 7 kept, 0 logged off")) == (200, 1)
    for name in fleet.pbxs:
        scrape = client.get(f"/probe?target={name}")
        assert {link: count for (link,), count in scrape.by(CONNECTS, "link").items()}["poll"] == 1
        assert scrape.total(EVENTS) >= before[name]
    assert client.get("/probe?target=sim02").total("asterisk_queue_callers") == 0


def test_a_target_with_another_secret_logs_in_anew_and_the_others_do_not(running: Running) -> None:
    fleet, process, client = running
    fleet.targets["sim02"]["secret"] = "plAnted-but-wrong-81"
    fleet.write()
    process.signal(signal.SIGHUP)
    wait_until(lambda: reloaded(process, 1), 10, "the reload")
    assert client.get("/probe?target=sim02").value("asterisk_up") == 0
    assert client.get("/probe?target=sim01").value("asterisk_up") == 1
    assert connects(client, "sim01") == {"poll": 1, "events": 1}


def test_a_removed_target_is_logged_off_and_is_no_target_any_more(running: Running) -> None:
    fleet, _, client = running
    del fleet.targets["sim04"]
    fleet.write()
    answer = client.get("/-/reload", "POST")
    assert "0 connected anew, 6 kept, 1 logged off" in answer.body
    pbx = fleet.pbxs["sim04"]
    wait_until(lambda: pbx.sessions == [], 5, "no session of ours")
    assert pbx.actions["Logoff"] == 2
    gone = client.get("/probe?target=sim04")
    assert gone.status == 400
    assert "sim05" in gone.body
    discovered = client.json("/sd")
    assert isinstance(discovered, list)
    assert len(discovered) == 6


def test_a_bad_file_changes_nothing_and_is_told_everywhere(running: Running) -> None:
    fleet, process, client = running
    good = client.get("/config").body
    replace(fleet.config_file, f"{fleet.config_file.read_text()}unknown_key: plAnted-in-a-bad-file-82\n")
    answer = client.get("/-/reload", "POST")
    assert answer.status == 500
    assert "found an unknown key" in answer.body
    assert client.get("/metrics").value("ami_exporter_config_last_reload_successful") == 0
    assert client.get("/config").body == good
    assert "found an unknown key" in client.get("/").body
    assert "reload failed, nothing changed" in process.log
    assert connects(client, "sim00") == {"poll": 1, "events": 1}
    fleet.write()
    process.signal(signal.SIGHUP)
    wait_until(lambda: reloaded(process, 1), 10, "the reload")
    assert client.get("/metrics").value("ami_exporter_config_last_reload_successful") == 1
    assert "found an unknown key" not in client.get("/").body


def test_a_new_target_is_reachable_at_once(running: Running) -> None:
    fleet, _, client = running
    assert client.get("/probe?target=sim08").status == 400
    fleet.add_simulated(8)
    fleet.write()
    assert client.get("/-/reload", "POST").status == 200
    assert client.get("/probe?target=sim08").value("asterisk_up") == 1
