"""Settings that change what is served, on a real PBX: filters, caps, min_interval, names, custom metrics, source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.conftest import AsteriskFactory
from tests.support import console
from tests.support.exporter_process import Scrape, run
from tests.support.pbx_pair import RichPbx
from tests.support.planted import AMI_SECRETS
from tests.support.watching import config, watching


def names(scrape: Scrape, metric: str, label: str) -> set[str]:
    """Label values of every series of a metric, those at 0 too."""
    return {dict(labels)[label] for name, labels in scrape.series() if name == metric}


def test_include_and_exclude_choose_series_of_polls_and_of_events(rich22: RichPbx, tmp_path: Path) -> None:
    chosen = '    collectors: {queues: {exclude: "q-.*"}, endpoints: {include: "telco-.*", exclude: ".*-dead"}}'
    with watching(rich22.server, tmp_path, "all", chosen) as running:
        scrape = running.get()
        for metric in ("asterisk_queue_callers", "asterisk_queue_members", "asterisk_queue_joins_total"):
            assert names(scrape, metric, "queue") == {"support", "Sales Desk.2", "deserted"}
        assert names(scrape, "asterisk_endpoint_up", "endpoint") == {"telco-good", "telco-ip", "telco-rejected"}
        # Totals count all the same.
        reachable = scrape.value("asterisk_endpoints", technology="PJSIP", state="reachable")
        assert reachable is not None
        assert reachable > 3
        assert scrape.by("ami_exporter_series_dropped_total", "metric") == {}


def test_a_cap_keeps_the_first_label_sets_and_counts_the_rest(rich22: RichPbx, tmp_path: Path) -> None:
    with watching(rich22.server, tmp_path, "all", "    limits: {series_per_metric: 10}") as running:
        scrapes = [running.get() for _ in range(3)]
        kept = names(scrapes[0], "asterisk_aor_contacts", "aor")
        assert kept == {str(number) for number in range(1001, 1011)}
        assert all(names(scrape, "asterisk_aor_contacts", "aor") == kept for scrape in scrapes)
        dropped = scrapes[-1].by("ami_exporter_series_dropped_total", "metric")
        assert dropped["asterisk_aor_contacts",] >= 5
        assert scrapes[-1].total("asterisk_endpoints", technology="PJSIP") == 15


def test_min_interval_serves_again_and_says_how_old_it_is(asterisk_factory: AsteriskFactory, tmp_path: Path) -> None:
    server = asterisk_factory(22)
    # All collectors that read the list of channels: what one has asked for is new for the others too.
    paced = ", ".join(f"{name}: {{min_interval: 1h}}" for name in ("channels", "endpoints", "trunks"))
    with watching(server, tmp_path, "events", f"    collectors: {{{paced}}}") as running:
        first = running.get()
        assert first.value("asterisk_active_calls") == 0
        server.originate_local(3)
        again = running.get()
        assert again.value("asterisk_active_calls") == 0
        ages = [
            scrape.value("asterisk_scrape_collector_data_age_seconds", collector="channels")
            for scrape in (first, again)
        ]
        assert ages[0] is not None
        assert ages[1] is not None
        assert ages[1] > ages[0]
        assert again.value("asterisk_scrape_collector_success", collector="channels") == 1
        assert running.get("/-/reload", method="POST").status == 200
        assert running.get().value("asterisk_active_calls") == 3


@pytest.mark.parametrize("source", ["Status", "CoreShowChannels"])
def test_channels_from_either_list_are_the_same(rich: RichPbx, tmp_path: Path, source: str) -> None:
    rows = console.channels(rich.server)
    with watching(rich.server, tmp_path, "reporting", f"    collectors: {{channels: {{source: {source}}}}}") as running:
        scrape = running.get()
        assert scrape.by("asterisk_active_channels", "technology", "state") == console.counts(
            [(fields[0].partition("/")[0], fields[4].lower()) for fields in rows]
        )
        assert scrape.value("asterisk_active_calls") == 23
        transcoding = scrape.value("asterisk_transcoding_channels")
        assert (transcoding is None) == (source == "CoreShowChannels")


CUSTOM = """
custom:
  - action: DeviceStateList
    item: DeviceStateChange
    metrics:
      - {name: asterisk_custom_devices, type: gauge, help: Devices., labels: {state: State}}
  - action: QueueStatus
    item: QueueMember
    where: {Paused: "1"}
    metrics:
      - {name: asterisk_custom_paused, type: gauge, help: Paused members., labels: {queue: Queue}}
  - action: QueueStatus
    item: QueueParams
    metrics:
      - {name: asterisk_custom_weights, type: gauge, help: Sum of weights., value: Weight}
      - name: asterisk_custom_highest_service_level
        type: gauge
        help: The longest threshold.
        value: {field: ServiceLevel, reduce: max}
  - action: PJSIPShowRegistrationsOutbound
    item: OutboundRegistrationDetail
    metrics:
      - name: asterisk_custom_registered
        type: gauge
        help: Registered or not.
        value: {field: Status, map: {Registered: 1}, other: 0}
        labels: {registration: {field: ObjectName, max: 2}}
"""


def test_custom_metrics_of_lists_count_sum_highest_and_mapped(rich: RichPbx, tmp_path: Path) -> None:
    with watching(rich.server, tmp_path, "reporting", "", CUSTOM) as running:
        scrape = running.get()
        with rich.server.ami() as ami:
            devices = ami.items("DeviceStateList", "DeviceStateListComplete")
        assert scrape.by("asterisk_custom_devices", "state") == console.counts([(item["State"],) for item in devices])
        assert scrape.by("asterisk_custom_paused", "queue") == scrape.by("asterisk_queue_members_paused", "queue")
        assert scrape.value("asterisk_custom_weights") == 5
        assert scrape.value("asterisk_custom_highest_service_level") == 60
        assert names(scrape, "asterisk_custom_registered", "registration") == {"telco-dead", "telco-good"}
        assert scrape.value("asterisk_custom_registered", registration="telco-good") == 1
        assert scrape.value("asterisk_custom_registered", registration="telco-dead") == 0
        assert ("asterisk_custom_registered",) in scrape.by("ami_exporter_series_dropped_total", "metric")


MISTAKES = """
custom:
  - action: QueueReset
    metrics:
      - {name: asterisk_custom_a, type: gauge, help: A.}
  - action: QueueStatus
    item: QueueMembre
    metrics:
      - {name: asterisk_custom_b, type: gauge, help: B.}
  - action: Status
    metrics:
      - {name: asterisk_active_calls, type: gauge, help: C.}
      - {name: asterisk_custom_d, type: counter, help: D., labels: {channel: Channel}}
"""


def test_mistakes_in_custom_metrics_are_found_at_once_with_their_places(rich22: RichPbx, tmp_path: Path) -> None:
    file = tmp_path / "bad.yml"
    file.write_text(config(rich22.server, "all", "", MISTAKES))
    done = run("check", "--config.file", str(file), environ={"PBX_SECRET": AMI_SECRETS["all"]})
    assert done.returncode == 1
    *lines, source = done.stderr.splitlines()
    assert source == f"{file}: named by --config.file"
    places = [line.removeprefix(f"{file}:").partition(": ")[0] for line in lines]
    text = file.read_text().splitlines()
    for place, line in zip(places, lines, strict=True):
        row, column = (int(part) for part in place.split(":"))
        assert text[row - 1][column - 1].strip(), line
    found = "\n".join(lines)
    for what in ("a read-only list action", "QueueMember", "the name of a built-in metric", "ends with _total"):
        assert what in found
    assert "QueueReset" not in found  # a fault quotes nothing of the file
