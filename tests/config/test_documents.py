"""The reference file, the examples in the docs, the JSON Schema and the effective configuration."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from ami_exporter.commands import loading
from ami_exporter.config import schema
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.effective import effective_yaml
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load, load_file
from ami_exporter.config.scalars import duration_text
from ami_exporter.config.target_settings import Settings
from ami_exporter.config.yamlnodes import parse
from tests.support.config_catalogue import catalogue

if TYPE_CHECKING:
    import jsonschema

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
REFERENCE = ROOT / "docs/ami-exporter.reference.yml"
GOOD = sorted((HERE / "good").glob("*.yml"))
BAD = sorted((HERE / "bad").glob("*.yml"))
FILES = {
    "/run/secrets/pbx1": b"s3cret\n",
    "/run/secrets/ami_cli": b"another\n",
    "/run/secrets/ami_canary": b"a third\n",
    "/etc/ssl/pbx-ca.pem": b"-----BEGIN CERTIFICATE-----\n",
    "/etc/ami-exporter/queues.csv": b"600,Hotline\n602,Fax\n",
}
SCHEMA_CANNOT_SAY = {
    "address-ipv6-without-brackets",
    "address-ipv6-wrong",
    "address-port-too-high",
    "address-url",
    "canary-emergency",
    "canary-local",
    "canary-rtp-of-iax",
    "canary-several",
    "destinations-twice",
    "canary-short",
    "canary-too-long",
    "canary-too-often",
    "canary-too-short-for-rtp",
    "canary-user-that-polls",
    "canary-without-events",
    "command-counter",
    "command-expect-without-command",
    "command-nested-repetition",
    "command-no-group",
    "command-no-regex",
    "command-secrets",
    "command-stops",
    "command-two-readers",
    "command-user-that-polls",
    "command-user-without-secret",
    "command-without-read",
    "command-without-user",
    "custom-where-field",
    "buckets-falling",
    "collector-include-no-regex",
    "collector-source",
    "collector-unknown",
    "collector-without-choice-of-source",
    "custom-action-near-miss",
    "custom-action-several-near",
    "custom-action-unsafe",
    "custom-both-sources",
    "database-family-elsewhere",
    "database-label",
    "database-unsafe",
    "database-value",
    "database-without-family",
    "custom-buckets-of-a-counter",
    "custom-counter-of-a-list",
    "custom-counter-without-total",
    "custom-event-name",
    "custom-gauge-of-an-event",
    "custom-gauge-with-total",
    "custom-histogram-of-a-count",
    "custom-histogram-without-buckets",
    "custom-item",
    "custom-item-needed",
    "custom-item-of-an-event",
    "custom-event-never-asked-for",
    "custom-label-le",
    "custom-label-map-case",
    "custom-label-of-a-channel",
    "custom-label-of-a-person",
    "custom-label-other-without-map",
    "custom-name-built-in",
    "custom-name-prefix",
    "custom-name-twice",
    "custom-name-twice-differently",
    "custom-value-field",
    "custom-value-reduce-of-a-counter",
    "custom-value-scale-zero",
    "custom-without-source",
    "names-file-faults",
    "names-file-missing",
    "names-kind",
    "no-address",
    "no-secret",
    "no-targets",
    "no-username",
    "secret-env-empty",
    "secret-env-holds-the-secret",
    "secret-env-not-set",
    "secret-env-two-lines",
    "secret-file-empty",
    "secret-file-holds-the-secret",
    "secret-file-is-a-folder",
    "secret-file-missing",
    "secret-file-not-utf8",
    "secret-file-too-big",
    "secret-file-two-lines",
    "secret-line-break",
    "targets-is-empty",
    "timeout-too-long",
    "timeout-zero",
    "tls-ca-file-is-no-certificate",
    "tls-ca-file-missing",
    "trunk-match-case",
    "trunk-twice",
    "username-too-long",
}


def with_files() -> Catalogue:
    """The program's own catalogue, in a world where the files exist that the reference names."""
    return replace(
        loading.catalogue({"PBX2_SECRET": "s3cret"}),
        read_file=lambda path, bound: FILES[str(path)][:bound] if str(path) in FILES else path.read_bytes()[:bound],
    )


def validator() -> jsonschema.Draft202012Validator:
    import jsonschema  # takes seconds

    return jsonschema.Draft202012Validator(json.loads(schema.PATH.read_text()))


def test_the_reference_file_loads() -> None:
    settings = load_file(str(REFERENCE), with_files())
    assert list(settings.targets) == ["pbx1", "pbx2"]
    assert settings.targets["pbx1"].names == {"queue": {"600": "Support", "601": "Sales", "602": "Fax"}}
    assert settings.targets["pbx2"].collectors["voicemail"].min_interval == 300


def test_the_reference_file_has_every_key_of_the_schema() -> None:
    text = REFERENCE.read_text()
    keys = {key for model in schema.generate()["$defs"].values() for key in model["properties"]}
    assert len(keys) > 40
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}:", text)] == []


def test_the_examples_of_the_page_on_custom_metrics_load() -> None:
    page = (ROOT / "docs/custom-metrics.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 14
    head = "targets: {a: {address: a, username: u, secret: s, command_user: {username: c, secret: s}}}\n"
    assert len(load("page", head + examples[0], catalogue()).custom) == 3
    loaded = [load("page", head + example, catalogue()) for example in examples if example.startswith("custom:")]
    assert len(loaded) == 13


def test_the_schema_shipped_is_the_one_generated() -> None:
    assert schema.PATH.read_text() == schema.text(), "run: python -m ami_exporter.config.schema"


def test_the_schema_is_a_schema() -> None:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema.generate())


@pytest.mark.parametrize("path", [*GOOD, REFERENCE], ids=lambda path: path.stem)
def test_the_schema_accepts_good_files(path: Path) -> None:
    assert [error.message for error in validator().iter_errors(parse(path.name, path.read_text()).value)] == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_schema_refuses_the_bad_files_it_has_words_for(path: Path) -> None:
    try:
        tree = parse(path.name, path.read_text()).value
    except ConfigErrors:
        return  # not even YAML to a careful reader
    assert validator().is_valid(tree) is (path.stem in SCHEMA_CANNOT_SAY)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_effective_configuration_hides_secrets_and_loads_to_the_same_settings(path: Path) -> None:
    settings = load_file(str(path), catalogue())
    shown = effective_yaml(settings)
    secrets = {target.secret.reveal() for target in settings.targets.values()}
    assert all(secret not in shown for secret in secrets)
    assert shown.count("secret: <secret>") == len(settings.targets)
    for target in settings.targets.values():
        again = f"secret: {json.dumps(target.secret.reveal())}"
        shown = shown.replace("secret: <secret>", again, 1)
        for place, number in enumerate(target.dids, 1):
            shown = shown.replace(f"<number {place}>", json.dumps(number))
    assert load(str(path), shown, catalogue()) == settings


def test_the_effective_configuration_is_readable() -> None:
    text = "targets: {a: {address: a, username: Jürgen, secret: s3cret, timeout: 90s, labels: {site: Köln}}}"
    shown = yaml.safe_load(effective_yaml(load("c.yml", text, catalogue())))
    assert shown["custom"] == []
    expected = {
        "address": "a:5038",
        "username": "Jürgen",
        "secret": "<secret>",
        "md5": True,
        "tls": False,
        "timeout": "1m30s",
        "labels": {"site": "Köln"},
        "trunks": "auto",
        "limits": {"series_per_metric": 1000},
    }
    assert {key: shown["targets"]["a"][key] for key in expected} == expected


def test_the_effective_configuration_shows_no_number() -> None:
    """Neither whole ones nor those in a canary's destination, a tenant's account or a rule; names stay."""
    text = """
        targets:
          a:
            address: 192.0.2.10
            username: u
            secret: s
            trunks: [{name: telco, match: PJSIP/telco}]
            destinations: {emergency: ["112", "+4930990001"], international: ["00"]}
            dids: {"6003": Service, "+4930990002": Sales, "04930990002": Sales}
            tenants: {from: AccountCode, map: {"4930990003": Acme, "4930990004": Globex, initech: Initech}}
            canaries:
              one: {channel: "PJSIP/+4930990005@telco", user: {username: c, secret: t}}
              two: {channel: "PJSIP/4701@telco", internal: true, user: {username: c, secret: t}}
        custom:
          - action: DeviceStateList
            where: {Device: ["PJSIP/4930990006", "PJSIP/100"]}
            metrics:
              - name: asterisk_custom_x
                type: gauge
                help: X.
                value: {field: State, map: {"4930990007": 1}}
                labels: {who: {field: State, map: {"4930990008": Anna, INUSE: busy}}}
    """
    shown = effective_yaml(load("c.yml", textwrap.dedent(text), catalogue()))
    assert "99000" not in shown
    assert "6003" not in shown
    loaded = yaml.safe_load(shown)
    target = loaded["targets"]["a"]
    assert target["address"] == "192.0.2.10:5038"
    assert target["destinations"] == {"emergency": ["112", "<number>"], "international": ["00"]}
    assert target["dids"] == {"<number 1>": "Service", "<number 2>": "Sales", "<number 3>": "Sales"}
    assert target["tenants"]["map"] == {"<number 1>": "Acme", "<number 2>": "Globex", "initech": "Initech"}
    assert [one["channel"] for one in target["canaries"].values()] == ["PJSIP/<number>@telco", "PJSIP/4701@telco"]
    assert loaded["custom"][0]["where"] == {"device": ["pjsip/<number>", "pjsip/100"]}


def test_the_effective_configuration_names_the_family_of_the_database() -> None:
    text = """
        targets: {a: {address: a, username: u, secret: s}}
        custom:
          - action: DBGetTree
            family: DND
            metrics: [{name: asterisk_custom_dnd, type: gauge, help: Do not disturb.}]
    """
    shown = yaml.safe_load(effective_yaml(load("c.yml", textwrap.dedent(text), catalogue())))
    assert shown["custom"][0]["family"] == "DND"


def test_no_settings_at_all_can_be_shown() -> None:
    assert yaml.safe_load(effective_yaml(Settings({}))) == {"targets": {}, "custom": []}


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.5, "500ms"),
        (9, "9s"),
        (90, "1m30s"),
        (3600, "1h"),
        (90061.001, "1d1h1m1s1ms"),
        (0, "0s"),
    ],
)
def test_durations_are_written_as_people_do(seconds: float, written: str) -> None:
    assert duration_text(seconds) == written
