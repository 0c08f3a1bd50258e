"""The Kubernetes manifests: by Kubernetes' own schemas, and by those of what this project takes of the operator.

The operator's schemas are in no Python package; the parts used here are written down below, closed to anything else.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ami_exporter import __version__
from ami_exporter.commands.loading import catalogue
from ami_exporter.commands.options import parse
from ami_exporter.config.load import load
from ami_exporter.config.shard import Shard

# The oldest with the pod's index as a label, and one of today.
VERSIONS = ("1.28", "1.34")
CLUSTER_KINDS = {"ConfigMap", "Deployment", "StatefulSet", "Service", "Secret"}
ANNOTATIONS_LIMIT, CONFIG_MAP_LIMIT = 262144, 1048576
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION = {"type": "string", "pattern": r"^[0-9]+[smhd]$"}


def closed(required: str, **properties: object) -> dict[str, object]:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


RULE = closed(
    "expr",
    alert={"type": "string"},
    record={"type": "string"},
    expr={"type": "string"},
    **{"for": DURATION, "keep_firing_for": DURATION},
    labels=TEXTS,
    annotations=TEXTS,
)
RELABELING = closed(
    "targetLabel",
    sourceLabels={"type": "array", "items": {"type": "string"}},
    targetLabel={"type": "string"},
    replacement={"type": "string"},
)
SPECS = {
    "PrometheusRule": closed(
        "groups",
        groups={
            "type": "array",
            "items": closed(
                "name rules", name={"type": "string"}, interval=DURATION, rules={"type": "array", "items": RULE}
            ),
        },
    ),
    "ServiceMonitor": closed(
        "selector endpoints",
        selector=closed("matchLabels", matchLabels=TEXTS),
        endpoints={
            "type": "array",
            "items": closed("port", port={"type": "string"}, interval=DURATION, scrapeTimeout=DURATION),
        },
    ),
    "ScrapeConfig": closed(
        "httpSDConfigs",
        jobName={"type": "string"},
        metricsPath={"type": "string"},
        scrapeInterval=DURATION,
        scrapeTimeout=DURATION,
        httpSDConfigs={
            "type": "array",
            "items": closed("url", url={"type": "string", "pattern": "^https?://.+$"}, refreshInterval=DURATION),
        },
        relabelings={"type": "array", "items": RELABELING},
    ),
}


@pytest.fixture(scope="module")
def folder(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All manifests, as `make dist` makes them."""
    folder = tmp_path_factory.mktemp("kubernetes")
    subprocess.run([sys.executable, repository / "deploy/kubernetes/build.py", folder], check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[dict[str, Any]]:
    """All objects."""
    files = sorted(folder.glob("*.yml"))
    return list(itertools.chain.from_iterable(yaml.safe_load_all(file.read_text()) for file in files))


def one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The object of a kind that is named after the program."""
    return next(found for found in manifests if (found["kind"], found["metadata"]["name"]) == (kind, "ami-exporter"))


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_objects_are_valid_by_its_schemas(manifests: list[dict[str, Any]], version: str) -> None:
    import kubernetes_validate  # type: ignore[import-untyped]  # it has no types

    own = [found for found in manifests if found["kind"] in CLUSTER_KINDS]
    assert len(own) >= 13
    for found in own:
        kubernetes_validate.validate(found, version, strict=True)


def test_the_operators_objects_are_valid_by_what_is_used_of_them(manifests: list[dict[str, Any]]) -> None:
    import jsonschema  # takes seconds

    theirs = [found for found in manifests if found["kind"] not in CLUSTER_KINDS]
    assert {found["kind"] for found in theirs} == set(SPECS)
    for found in theirs:
        versions = {"ScrapeConfig": "v1alpha1"}
        assert found["apiVersion"] == f"monitoring.coreos.com/{versions.get(found['kind'], 'v1')}"
        assert set(found) == {"apiVersion", "kind", "metadata", "spec"}
        jsonschema.validate(found["spec"], SPECS[found["kind"]])


def test_promtool_takes_the_rules(manifests: list[dict[str, Any]], promtool: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump(one(manifests, "PrometheusRule")["spec"]))
    done = subprocess.run([promtool, "check", "rules", rules], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


def test_each_board_fits_into_its_object(manifests: list[dict[str, Any]], repository: Path) -> None:
    boards = [found for found in manifests if found["metadata"]["labels"].get("grafana_dashboard")]
    assert {name for board in boards for name in board["data"]} == {
        file.name for file in (repository / "grafana/dashboards").glob("*.json")
    }
    assert max(len(text.encode()) for board in boards for text in board["data"].values()) < ANNOTATIONS_LIMIT


def test_the_configuration_in_the_manifest_is_good(manifests: list[dict[str, Any]], tmp_path: Path) -> None:
    text = one(manifests, "ConfigMap")["data"]["config.yml"]
    secret = one(manifests, "Secret")["stringData"]
    for name, value in secret.items():
        (tmp_path / name).write_text(value)
    settings = load("config.yml", text.replace("/run/secrets/ami", str(tmp_path)), catalogue({}))
    assert list(settings.targets) == list(secret)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_the_arguments_are_the_programs_and_the_pods_are_restricted(manifests: list[dict[str, Any]], kind: str) -> None:
    found = one(manifests, kind)
    pod = found["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == f"ami-exporter:{__version__}"
    arguments = [argument.replace("$(SHARD)", "2") for argument in container["args"]]
    options = parse(arguments, {})
    assert options.command == "serve"
    assert options.config_file == "/etc/ami-exporter/config.yml"
    if kind == "StatefulSet":
        assert options.shard == Shard.parse(f"2/{found['spec']['replicas']}")
        shards = [one["metadata"]["labels"]["shard"] for one in manifests if one["kind"] == "ScrapeConfig"]
        assert shards == [str(number) for number in range(found["spec"]["replicas"])]
    # The levels of the Pod Security Standards, "restricted".
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_selectors_find_what_they_mean(manifests: list[dict[str, Any]]) -> None:
    labels = {
        found["kind"]: found["spec"]["template"]["metadata"]["labels"]
        for found in manifests
        if found["kind"] in ("Deployment", "StatefulSet")
    }
    services = {found["metadata"]["name"]: found for found in manifests if found["kind"] == "Service"}
    assert services["ami-exporter"]["spec"]["selector"] == labels["Deployment"]
    assert services["ami-exporter-shards"]["spec"]["selector"] == labels["StatefulSet"]
    assert one(manifests, "StatefulSet")["spec"]["serviceName"] in services
    monitor = one(manifests, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"] == services["ami-exporter"]["metadata"]["labels"]
    assert monitor["endpoints"][0]["port"] == services["ami-exporter"]["spec"]["ports"][0]["name"]
