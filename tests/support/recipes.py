"""The recipes of docs/custom-metrics.md for lists and events, loaded as the exporter does."""

from __future__ import annotations

import re

from ami_exporter.commands.loading import catalogue
from ami_exporter.config.custom_settings import CustomMetricsSettings
from ami_exporter.config.load import load
from tests.support.documents import REPO

PAGE = REPO / "docs" / "custom-metrics.md"
_TARGET = "targets:\n  pbx1: {address: pbx1, username: exporter, secret: x}\n"


def recipe(metric: str) -> str:
    """The block of YAML that declares a metric; there is one."""
    blocks = re.findall(r"```yaml\n(custom:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if re.search(rf"\b{metric}\b", block)]
    return str(found)


def recipes(metric: str) -> tuple[CustomMetricsSettings, ...]:
    """The settings of that block."""
    return load("page.yml", _TARGET + recipe(metric), catalogue({})).custom
