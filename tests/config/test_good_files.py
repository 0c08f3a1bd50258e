import re
from pathlib import Path

import pytest

from ami_exporter.config.custom_settings import CustomLabel, CustomMetric, CustomMetricsSettings, CustomValue
from ami_exporter.config.load import load as load_text
from ami_exporter.config.load import load_file
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import (
    AmiTlsSettings,
    CollectorSettings,
    Limits,
    Settings,
    TargetSettings,
    TrunkSettings,
)
from ami_exporter.config.tenant_settings import TenantSettings
from tests.support.config_catalogue import catalogue

GOOD = Path(__file__).parent / "good"


def load(name: str) -> Settings:
    return load_file(str(GOOD / name), catalogue())


@pytest.mark.parametrize("path", sorted(GOOD.glob("*.yml")), ids=lambda path: path.stem)
def test_every_good_file_loads(path: Path) -> None:
    assert load(path.name).targets


def test_the_smallest_file_has_every_default() -> None:
    assert load("minimal.yml") == Settings(
        {"pbx1": TargetSettings("pbx1", "pbx1.example.net", "exporter", Secret("s3cret"), port=5038, md5=True)}
    )
    target = load("minimal.yml").targets["pbx1"]
    assert (target.timeout, target.events, target.trunks, target.tls) == (9.0, True, "auto", None)
    assert target.limits.series_per_metric == 1000
    assert target.queue_wait_buckets == (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)


def test_a_target_merges_over_the_defaults() -> None:
    assert load("everything.yml").targets["pbx1"] == TargetSettings(
        name="pbx1",
        host="pbx1.example.net",
        port=5039,
        username="exporter",
        secret=Secret("s3cret-from-file"),
        md5=True,
        tls=AmiTlsSettings(ca_file=str(GOOD / "files/ca.pem"), server_name="pbx.internal", verify=True),
        timeout=0.5,
        labels={"site": "hamburg", "team": "voice", "country": "no"},
        collectors={
            "voicemail": CollectorSettings(enabled="auto", min_interval=300.0),
            "endpoints": CollectorSettings(include=re.compile("1[0-9]{3}"), exclude=re.compile("1999")),
            "channels": CollectorSettings(source="CoreShowChannels"),
            "taskprocessors": CollectorSettings(enabled=False),
        },
        events=False,
        trunks=(
            TrunkSettings("telco-a", "PJSIP/telco-a", "telco-a", 30),
            TrunkSettings("telco b", "IAX2/telco-[bc]*"),
        ),
        names={"queue": {"600": "Support", "601": "Sales"}},
        names_file="files/queues.csv",
        limits=Limits(500),
        queue_wait_buckets=(10.0, 20.5, 60.0),
        destinations={"emergency": ("112", "911"), "international": ("00", "+")},
        dids={"4930555123": "Hotline", "+4930555123": "Hotline"},
        tenants=TenantSettings("AccountCode", pattern="(?P<tenant>[a-z]+)-[0-9]+"),
    )


def test_a_target_without_settings_of_its_own_has_the_defaults() -> None:
    target = load("everything.yml").targets["pbx-2.example"]
    assert (target.host, target.port, target.tls, target.md5) == ("2001:db8::1", 5039, AmiTlsSettings(), False)
    assert (target.timeout, target.secret, target.labels) == (
        90.0,
        Secret("s3cret"),
        {"site": "berlin", "team": "voice"},
    )
    assert target.names == {"queue": {"601": "Sales"}}


def test_custom_metrics_come_out_with_lower_case_fields_and_texts() -> None:
    devices, registrations, callbacks = load("everything.yml").custom[:3]
    assert devices == CustomMetricsSettings(
        action="DeviceStateList",
        item="DeviceStateChange",
        event=None,
        where={},
        metrics=(
            CustomMetric("asterisk_custom_device_states", "gauge", "Devices.", labels=(CustomLabel("state", "state"),)),
        ),
    )
    assert registrations.where == {"status": ("registered", "unregistered")}
    assert registrations.metrics == (
        CustomMetric(
            "mine_registered",
            "gauge",
            "Registered.",
            value=CustomValue("status", values={"registered": 1.0}, other=0.0, reduce="max"),
            labels=(CustomLabel("registration", "objectname", limit=50),),
        ),
    )
    assert (callbacks.event, callbacks.action, callbacks.item) == ("UserEvent", None, None)
    assert callbacks.metrics[0].labels == (
        CustomLabel("queue", "queue", checked=True),
        CustomLabel("kind", "kind", values={"vip": "vip"}, other="other"),
    )
    assert callbacks.metrics[1] == CustomMetric(
        "asterisk_custom_callback_wait_seconds",
        "histogram",
        "Wait.",
        value=CustomValue("waitms", scale=0.001),
        buckets=(1.0, 5.0, 10.0),
    )


def test_quoted_text_that_looks_like_something_else_stays_text() -> None:
    target = load("fleet.yml").targets["c"]
    assert (target.username, target.secret) == ("no", Secret("0755"))


def test_settings_do_not_show_secrets() -> None:
    assert "s3cret" not in repr(load("everything.yml"))


@pytest.mark.parametrize(
    ("include", "exclude", "name", "wanted"),
    [
        (None, None, "x", True),
        ("1..", None, "100", True),
        ("1..", None, "1000", False),
        ("1..", "1.0", "100", False),
        (None, "1.0", "101", True),
    ],
)
def test_filters_match_whole_names_and_exclude_wins(
    include: str | None, exclude: str | None, name: str, *, wanted: bool
) -> None:
    settings = CollectorSettings(
        include=re.compile(include) if include else None, exclude=re.compile(exclude) if exclude else None
    )
    assert settings.wants(name) is wanted


@pytest.mark.parametrize(
    ("written", "warned"),
    [
        ("hunter2 #cd", True),
        ("hunter2 # the user's secret", False),
        ("'hunter2 #cd'", False),
        ('"hunter2" #cd', False),
        ("hunter2#cd", False),
        ("hunter2 ; as in manager.conf", True),
        ("'hunter2 ; 2'", False),
        ("hunter2;2", False),
        ("\u201chunter2\u201d", True),
        ("\u00abhunter2\u00bb", True),
        ("hunter\u2019s", False),
        ("${HUNTER2}", True),
        ("$HUNTER_SECRET", True),
        ("$HUNTER", True),
        ("$2", False),
    ],
)
def test_a_secret_that_is_probably_a_mistake_is_warned_of_and_not_shown(written: str, warned: bool) -> None:
    text = f"targets:\n  pbx1:\n    address: pbx1\n    username: exporter\n    secret: {written}\n"
    warnings = [str(warning) for warning in load_text("c.yml", text, catalogue()).warnings]
    assert [warning.partition(": found ")[0] for warning in warnings] == ["c.yml:5:13"] * warned
    assert "hunter" not in "".join(warnings).casefold()
