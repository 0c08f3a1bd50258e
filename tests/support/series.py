"""All series that exist, as Prometheus stores them: the exporter's, Prometheus' own, and those the rules record."""

from __future__ import annotations

from tests.support.declared import declared
from tests.support.promql import Declared
from tests.support.rules import with_recorded

# Metrics of the catalogue whose collectors are not there yet.
COMING = {
    "ami_exporter_event_classes": Declared("gauge", frozenset({"class"})),
    "asterisk_endpoint_maintenance": Declared("gauge", frozenset({"technology", "endpoint"})),
    "asterisk_tenant_calls_total": Declared("counter", frozenset({"tenant", "direction", "outcome"})),
    "asterisk_tenant_talk_seconds_total": Declared("counter", frozenset({"tenant"})),
    "asterisk_canary_up": Declared("gauge", frozenset({"canary"})),
    "asterisk_canary_runs_total": Declared("counter", frozenset({"canary", "result"})),
    "asterisk_canary_last_run_timestamp_seconds": Declared("gauge", frozenset({"canary"})),
}
# Prometheus writes it itself; alerts carry the labels of what they are about.
_ALERTS = {"ALERTS": Declared("gauge", frozenset({"alertname", "alertstate", "severity"}))}

SERIES = with_recorded({**COMING, **declared(), **_ALERTS})
