"""Marks on every board's time axis: alerts that fire, restarts, reloads, and time in which no events were seen."""

from __future__ import annotations

from grafana.model import DATASOURCE, Json


def _annotation(name: str, expr: str, colour: str, *, text: str = "{{instance}}", moment: bool = False) -> Json:
    """Mark the time in which an expression has a value or, with moment, the Unix milliseconds that it is."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expr,
        "step": "60s",
        "titleFormat": name,
        "textFormat": text,
        "tagKeys": "instance",
        "useValueForTime": moment,
    }


ANNOTATIONS = (
    _annotation(
        "Alerts",
        'max by (alertname, instance, severity) (ALERTS{@, alertstate="firing", severity=~"critical|warning"})',
        "orange",
        text="{{alertname}} on {{instance}}",
    ),
    _annotation("Restarted", "asterisk_start_time_seconds{@} * 1000", "red", moment=True),
    _annotation("Reloaded", "asterisk_last_reload_timestamp_seconds{@} * 1000", "blue", moment=True),
    _annotation("No events seen", 'ami_exporter_link_up{@, link="events"} == 0', "purple"),
)
