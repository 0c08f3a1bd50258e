"""All series that exist, as Prometheus stores them: the exporter's, Prometheus' own, and those the rules record."""

from __future__ import annotations

from tests.support.declared import declared
from tests.support.promql import Declared
from tests.support.rules import with_recorded

# Prometheus writes it itself; alerts carry the labels of what they are about.
_ALERTS = {"ALERTS": Declared("gauge", frozenset({"alertname", "alertstate", "severity"}))}

SERIES = with_recorded({**declared(), **_ALERTS})
