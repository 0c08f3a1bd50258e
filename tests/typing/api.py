"""Only type-checked: the signatures that embedding programs rely on cannot change unnoticed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_type

import prometheus_client.core

from ami_exporter.api import (
    Action,
    AmiClient,
    AsteriskCollector,
    Collector,
    Message,
    Metric,
    Rule,
    Secret,
    TargetSettings,
    Tls,
    builtin,
    gauge,
)


def client() -> None:
    with AmiClient("pbx", username="exporter", secret="text") as ami:
        assert_type(ami, AmiClient)
        assert_type(ami.ask("QueueStatus", Queue="support"), list[Message])
        assert_type(ami.version, tuple[int, ...])
        assert_type(ami.offers("Status"), bool)
        ami.stream("Status", print)
    AmiClient("pbx", 5039, username="exporter", secret=Secret("text"), tls=Tls("/etc/ca.pem"), timeout=3.0).close()


def registry() -> None:
    channels = gauge("my_channels", "Channels (AMI Status)", "tech")
    assert_type(channels, Metric)
    status = Action("Status")
    mine = Collector("mine", "Mine", (channels,), ((status,),), (Rule(channels, status, ("Status",)),))
    settings = TargetSettings("pbx", "pbx.example.net", "exporter", Secret("text"), events=False)
    with AsteriskCollector(settings, (*builtin(), mine)) as asterisk:
        assert_type(asterisk.collect(), Iterable[prometheus_client.core.Metric])
    prometheus_client.core.REGISTRY.register(asterisk)
