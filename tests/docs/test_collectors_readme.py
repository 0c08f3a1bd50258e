"""The ten lines of the collectors' README, put together as it says, do what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from ami_exporter.collectors import bridges, fields
from ami_exporter.collectors import declarations as model
from tests.support.collecting import message, polled
from tests.support.documents import REPO, blocks_of

DECLARATION, TEST = [
    block.text for block in blocks_of(REPO / "ami_exporter/collectors/README.md") if block.language == "python"
]


def test_the_ten_lines_make_the_metric_of_the_example() -> None:
    names: dict[str, Any] = {**vars(model), **vars(fields), **vars(bridges)}
    metric, listed, row = DECLARATION.split("...\n")
    exec(metric, names)  # noqa: S102 - our own page
    exec(re.sub(r"^ +metrics=", "METRICS = ", listed).split(", #")[0].split(",   ")[0], names)  # noqa: S102 - as above
    exec(f"RULE = ({row.strip()})[0]", names)  # noqa: S102 - as above
    ours = replace(bridges.COLLECTOR, metrics=names["METRICS"], rules=(*bridges.COLLECTOR.rules, names["RULE"]))
    stand_in = SimpleNamespace(COLLECTOR=ours, LIST=bridges.LIST)
    exec(TEST, {"message": message, "polled": polled, "bridges": stand_in})  # noqa: S102 - as above
