"""`--shard I/N`: replicas with one configuration share its targets, each target with exactly one of them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
import yaml

from tests.support.exporter_process import exporter

pytestmark = pytest.mark.slow

TARGETS = [f"pbx{number:03}" for number in range(60)]
REPLICAS = 3


def config(folder: Path, names: list[str]) -> Path:
    """Targets that nobody asks for anything."""
    target = {"address": "127.0.0.1:9", "username": "x", "secret": "plAnted-shard", "events": False}
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump({"targets": {name: dict(target) for name in names}}))
    return file


def test_each_target_is_with_one_replica_and_all_know_the_same_file(tmp_path: Path) -> None:
    file = config(tmp_path, TARGETS)
    with contextlib.ExitStack() as stack:
        replicas = [
            stack.enter_context(exporter("--config.file", str(file), "--shard", f"{index}/{REPLICAS}"))
            for index in range(REPLICAS)
        ]
        shares = [{one["targets"][0] for one in json.loads(replica.get("/sd").body)} for replica in replicas]
        assert sorted(name for share in shares for name in share) == TARGETS
        assert min(map(len, shares)) >= 10
        # Who asks the wrong replica is told, not served.
        other = min(shares[1])
        assert replicas[0].get(f"/probe?target={other}").status == 400
        # One more target moves none of the others.
        config(tmp_path, [*TARGETS, "one-more"])
        assert [replica.get("/-/reload", method="POST").status for replica in replicas] == [200] * REPLICAS
        after = [{one["targets"][0] for one in json.loads(replica.get("/sd").body)} for replica in replicas]
        assert [share - {"one-more"} for share in after] == shares
        assert sum("one-more" in share for share in after) == 1
