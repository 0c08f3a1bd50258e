"""The Python API against the simulated PBX."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from ami_exporter.api import (
    AmiClient,
    AnswerError,
    AsteriskCollector,
    ForbiddenAction,
    LinkClosed,
    LoginRefused,
    Message,
    Secret,
    TargetSettings,
    _library,
    builtin,
    histogram,
)
from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.exposition.writer import Family, HistogramValue


@pytest.fixture
def pbx() -> Iterator[SimulatedPbx]:
    with SimulatedPbx(DemoSettings(queues=2)) as simulated:
        yield simulated


def settings_of(pbx: SimulatedPbx, *, secret: str = "", events: bool = False) -> TargetSettings:
    return TargetSettings("pbx", pbx.host, pbx.username, Secret(secret or pbx.secret), port=pbx.port, events=events)


def client_of(pbx: SimulatedPbx) -> AmiClient:
    return AmiClient(pbx.host, pbx.port, username=pbx.username, secret=pbx.secret)


def test_a_list_is_its_items_and_a_single_answer_one_message(pbx: SimulatedPbx) -> None:
    with client_of(pbx) as ami:
        queues = [item for item in ami.ask("QueueStatus") if item["event"] == "QueueParams"]
        assert len(queues) == 2
        (pong,) = ami.ask("Ping")
        assert pong["ping"] == "Pong"
        assert ami.version >= (2, 0)
        assert ami.offers("QueueStatus")


def test_parameters_are_sent(pbx: SimulatedPbx) -> None:
    with client_of(pbx) as ami:
        names = [item["queue"] for item in ami.ask("QueueStatus") if item["event"] == "QueueParams"]
        asked = ami.ask("QueueStatus", Queue=names[0])
        assert [item["queue"] for item in asked if item["event"] == "QueueParams"] == names[:1]


def test_a_stream_hands_over_the_same_items(pbx: SimulatedPbx) -> None:
    streamed: list[Message] = []
    with client_of(pbx) as ami:
        ami.stream("PJSIPShowContacts", streamed.append)
        assert {item["uri"] for item in streamed} == {item["uri"] for item in ami.ask("PJSIPShowContacts")}
    assert streamed


def test_what_changes_something_is_never_sent(pbx: SimulatedPbx) -> None:
    with client_of(pbx) as ami:
        with pytest.raises(ForbiddenAction, match="QueueReset"):
            ami.ask("QueueReset")
        assert ami.ask("Ping")


def test_a_missing_right_says_so() -> None:
    with (
        SimulatedPbx(DemoSettings(), users=[User("narrow", "s3cret", write=frozenset({"reporting"}))]) as pbx,
        AmiClient(pbx.host, pbx.port, username="narrow", secret="s3cret") as ami,
    ):
        with pytest.raises(AnswerError) as caught:
            ami.ask("PJSIPShowEndpoints")
        assert caught.value.answer.outcome == "refused"
        assert str(caught.value) == "PJSIPShowEndpoints: refused: Permission denied"


def test_a_wrong_secret_is_told_and_not_shown(pbx: SimulatedPbx) -> None:
    with pytest.raises(LoginRefused) as caught:
        AmiClient(pbx.host, pbx.port, username=pbx.username, secret="wr0ng-secret").connect()
    assert "wr0ng-secret" not in str(caught.value)


def test_a_closed_client_says_so(pbx: SimulatedPbx) -> None:
    ami = client_of(pbx)
    ami.close()
    with pytest.raises(LinkClosed):
        ami.ask("Ping")


def test_registering_asks_no_pbx_and_refuses_a_second_one(pbx: SimulatedPbx) -> None:
    registry = CollectorRegistry(auto_describe=True)
    with AsteriskCollector(settings_of(pbx)) as one, AsteriskCollector(settings_of(pbx)) as other:
        registry.register(one)
        with pytest.raises(ValueError, match="Duplicated timeseries"):
            registry.register(other)


def test_a_registry_has_the_metrics_of_the_pbx(pbx: SimulatedPbx) -> None:
    registry = CollectorRegistry()
    with AsteriskCollector(settings_of(pbx, events=True)) as asterisk:
        registry.register(asterisk)
        names = {metric.name for metric in registry.collect() if metric.samples}
        assert registry.get_sample_value("asterisk_up") == 1.0
    assert {"asterisk_active_channels", "asterisk_calls", "asterisk_queue_wait_seconds"} <= names


def test_histograms_have_cumulative_buckets_count_and_sum() -> None:
    metric = histogram("office_wait_seconds", "Waits", "queue", buckets=(1.0, 5.0))
    family = Family(metric, histograms={("support",): HistogramValue([2, 1, 4], 60.5, 7)})
    assert [(s.name, s.labels, s.value) for s in _library(family).samples] == [
        ("office_wait_seconds_bucket", {"queue": "support", "le": "1.0"}, 2),
        ("office_wait_seconds_bucket", {"queue": "support", "le": "5.0"}, 3),
        ("office_wait_seconds_bucket", {"queue": "support", "le": "+Inf"}, 7),
        ("office_wait_seconds_count", {"queue": "support"}, 7),
        ("office_wait_seconds_sum", {"queue": "support"}, 60.5),
    ]


def test_a_pbx_that_is_down_is_up_0(pbx: SimulatedPbx) -> None:
    settings = settings_of(pbx)
    pbx.stop()
    with AsteriskCollector(settings, builtin()) as asterisk:
        values = {s.name: s.value for family in asterisk.collect() for s in family.samples}
    assert values["asterisk_up"] == 0.0
    assert "asterisk_active_calls" not in values
