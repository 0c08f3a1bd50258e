"""What exists at 0 beforehand, so that the first event is an increase; and what does not, since it is never sent."""

from __future__ import annotations

import pytest

from ami_exporter.collectors.declarations import Context, Metric, Origin, Trunk
from ami_exporter.collectors.registry import builtin, metrics
from ami_exporter.collectors.sent import MASTER, asterisk_version, at_least
from tests.support.collecting import Samples, counted, store_of

COLLECTORS = builtin(classes=("emergency", "premium"), did_names=("Hotline",))
COUNTED = [metric for metric in metrics(COLLECTORS) if metric.origin is Origin.EVENTS]
RECORDING = ("asterisk_recorded_calls_total", "asterisk_recordings_in_progress")
PROGRESS = ("asterisk_dial_post_dial_delay_seconds", "asterisk_trunk_post_dial_delay_seconds")
KNOWN = [metric for metric in COUNTED if metric.open_labels in {(), ("technology",), ("trunk",)}]


def at_start(version: tuple[int, ...], technology: str = "PJSIP") -> Samples:
    """All event metrics of a PBX with one technology and one trunk of it, before the first event."""
    context = Context(
        technologies=(technology,),
        trunks={"telco": Trunk("telco", technology, "telco-a")},
        version=version,
        tells_start=True,
    )
    store = store_of(*COLLECTORS, context=context)
    store.linked()
    return counted(store)


def names(samples: Samples) -> set[str]:
    return {key[0].removesuffix("_count").removesuffix("_sum") for key in samples}


@pytest.mark.parametrize("metric", KNOWN, ids=lambda metric: metric.name)
def test_counters_and_histograms_exist_at_zero_for_every_technology_and_trunk_known(metric: Metric) -> None:
    found = {key: value for key, value in at_start((22, 10, 1)).items() if metric.name in names({key: value})}
    assert found
    assert set(found.values()) == {0}


@pytest.mark.parametrize(
    ("version", "absent"),
    [
        ((13, 38, 3), {"asterisk_trunk_sip_failures_total", "asterisk_rtcp_mes", *PROGRESS, *RECORDING}),
        ((16, 28, 0), {"asterisk_trunk_sip_failures_total", "asterisk_rtcp_mes"}),
        ((18, 26, 4), {"asterisk_trunk_sip_failures_total"}),
        ((20, 20, 1), set()),
        ((22, 6, 0), {"asterisk_trunk_sip_failures_total"}),
        ((23, 4, 1), set()),
        (MASTER, set()),
        ((), {"asterisk_trunk_sip_failures_total", "asterisk_rtcp_mes", *RECORDING}),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_a_version_never_sends_is_absent(version: tuple[int, ...], absent: set[str]) -> None:
    everything = {metric.name for metric in KNOWN}
    assert everything - names(at_start(version)) == absent


def test_what_a_driver_never_sends_is_absent() -> None:
    everything = {metric.name for metric in KNOWN}
    assert everything - names(at_start((22, 10, 1), "SIP")) == {"asterisk_trunk_sip_failures_total"}
    assert everything - names(at_start((22, 10, 1), "IAX2")) == {
        "asterisk_trunk_sip_failures_total",
        *(metric.name for metric in KNOWN if "rtcp" in metric.name or "media_calls" in metric.name),
    }


def test_starts_are_not_counted_where_nothing_tells_of_them() -> None:
    assert "asterisk_boots_total" not in names(counted(store_of(*COLLECTORS, context=Context())))


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("22.10.1~dfsg+~cs6.17.60671434-1", (22, 10, 1)),
        ("16.28.0~dfsg-0+deb11u4", (16, 28, 0)),
        ("certified-18.9-cert4", (18, 9)),
        ("certified/13.21-cert6", (13, 21)),
        ("GIT-master-1a2b3c4", MASTER),
        ("GIT-22-1a2b3c4M", ()),
        ("", ()),
    ],
)
def test_the_version_is_read_as_packagers_write_it(written: str, version: tuple[int, ...]) -> None:
    assert asterisk_version(written) == version


def test_a_branch_that_never_had_it_is_told_from_those_before_and_after() -> None:
    firsts = ((20, 17), (22, 7), (23, 1))
    assert [at_least((major, 99), *firsts) for major in (18, 20, 21, 22, 23, 24)] == [
        False,
        True,
        False,
        True,
        True,
        True,
    ]
    assert not at_least((22, 6, 1), *firsts)
    assert not at_least((23, 0), *firsts)
