"""Panels about alerts, from the series ALERTS and ALERTS_FOR_STATE that Prometheus writes for every rule."""

from __future__ import annotations

from grafana import colours as c
from grafana.table import Column, Table

ABOUT = ("trunk", "queue", "registration", "endpoint", "collector", "canary", "service", "link", "metric", "span")
"""Labels that say which part of a PBX an alert is about."""

SEVERITIES = {"critical": ("critical", c.BAD), "warning": ("warning", c.WARN), "info": ("info", c.WORK)}


def firing(*, by_instance: bool, width: int, height: int) -> Table:
    """Alerts that fire now, the oldest last, each with its age; by_instance adds the PBX as a column."""
    about = ", ".join(f'"{label}"' for label in ABOUT)
    instance = "instance, " if by_instance else ""
    keys = {"alertname": "Alert", "severity": "Severity", "about": "About"}
    return Table(
        title="Alerts that fire",
        description="""Alerts of Prometheus' rules that fire now, and since when their condition holds. About: the
            trunk, queue or other part of the PBX they name.""",
        nothing="No alert is known to fire",
        keys={"instance": "PBX", **keys} if by_instance else keys,
        words={"severity": SEVERITIES},
        widths={"severity": 84, "about": 130},
        sort=("For", False),
        columns=(
            Column(
                title="For",
                expr=f"""max by ({instance}alertname, severity, about) (label_join(
                    time() - ALERTS_FOR_STATE{{@}}
                    and ignoring (alertstate) ALERTS{{@, alertstate="firing"}},
                    "about", " ", {about}
                ))""",
                unit="dthms",
                width=92,
            ),
        ),
        width=width,
        height=height,
    )
