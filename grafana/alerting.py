"""Panels about alerts, from the series ALERTS and ALERTS_FOR_STATE that Prometheus writes for every rule."""

from __future__ import annotations

from grafana import colours as c
from grafana.table import Column, Table

ABOUT = ("trunk", "queue", "registration", "endpoint", "device", "canary", "service", "link", "metric", "span")
"""Labels that say which part of a PBX an alert is about; where it has none of them, its collector does."""

SEVERITIES = {"critical": ("critical", c.BAD), "warning": ("warning", c.WARN), "info": ("info", c.WORK)}


def firing(*, by_instance: bool, width: int, height: int) -> Table:
    """Alerts that fire now, the oldest last, each with its age; by_instance adds the PBX as a column."""
    labels = ", ".join(f'"{label}"' for label in ABOUT)
    instance = "instance, " if by_instance else ""
    keys = {"alertname": "Alert", "severity": "Severity", "about": "About"}
    return Table(
        title="Alerts that fire",
        description="""Alerts of Prometheus' rules that fire now, and since when their condition holds. About: the
            trunk, queue or other part of the PBX they name.""",
        nothing="No alert is known to fire",
        keys={"instance": "PBX", **keys} if by_instance else keys,
        words={"severity": SEVERITIES},
        widths={"severity": 84, "about": 300 if by_instance else 215},
        sort=("For", False),
        columns=(
            Column(
                title="For",
                expr=f"""max by ({instance}alertname, severity, about) (label_replace(label_join(
                    label_replace(
                        time() - ALERTS_FOR_STATE{{@}} and ignoring (alertstate) ALERTS{{@, alertstate="firing"}},
                        "about", "$1", "collector", "(.*)"
                    ), "subject", " ", {labels}
                ), "about", "$1", "subject", " *([^ ].*)"))""",
                unit="dthms",
                width=92,
            ),
        ),
        width=width,
        height=height,
    )
