"""`metrics`: the catalogue of metrics, made from the declarations, as Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ami_exporter.collectors.declarations import Collector, Metric, Origin
from ami_exporter.collectors.registry import builtin
from ami_exporter.commands.flags import OK
from ami_exporter.commands.options import Options, Run
from ami_exporter.exposition import own_metrics

_HEAD = """# Metrics

Made by `ami-exporter metrics` from the declarations in `ami_exporter/collectors/`; do not edit by hand.

`asterisk_*` metrics are about the PBX, `ami_exporter_*` about the exporter. Polled metrics are built anew by each
scrape and absent while the PBX is down. Metrics from events are kept by the exporter and stay while the PBX is down;
those with closed labels exist at 0 from the start. Buckets are in the metric's base unit.
"""


def metrics(options: Options, run: Run) -> int:
    """Print the catalogue."""
    run.out.write(as_json() if options.format == "json" else as_markdown())
    return OK


def as_markdown() -> str:
    """The whole catalogue, a table a collector."""
    subjects = [_section(collector.title, _about(collector), collector.metrics) for collector in builtin()]
    return "\n".join([_HEAD, _section("The scrape and the exporter", "", own_metrics.METRICS), *subjects])


def as_json() -> str:
    """The whole catalogue, one object a metric."""
    rows: list[tuple[str | None, Metric]] = [(None, metric) for metric in own_metrics.METRICS]
    rows += [(collector.name, metric) for collector in builtin() for metric in collector.metrics]
    return json.dumps([_plain(name, metric) for name, metric in rows], indent=1) + "\n"


def _about(collector: Collector) -> str:
    actions = [" or ".join(f"`{action.name}`" for action in choice) for choice in collector.polls]
    sends = f"Sends {', '.join(actions)}." if actions else "Sends no action: events only."
    opt_in = "" if collector.enabled else " Opt-in."
    interval = f" Polled every {collector.min_interval:g} s at most." if collector.min_interval else ""
    return f"Collector `{collector.name}`. {sends}{opt_in}{interval}\n"


def _section(title: str, about: str, metrics: Iterable[Metric]) -> str:
    rows = [
        f"| `{m.name}` | {_type(m)} | {', '.join(m.labels)} | {m.help.replace('|', chr(92) + '|')} |" for m in metrics
    ]
    return "\n".join([f"## {title}", "", about, "| metric | type | labels | help |", "|---|---|---|---|", *rows, ""])


def _type(metric: Metric) -> str:
    kind = f"{metric.type} ({', '.join(f'{b:g}' for b in metric.buckets)})" if metric.buckets else metric.type
    return f"{kind}, events" if metric.origin is Origin.EVENTS else kind


def _plain(collector: str | None, metric: Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        "type": metric.type,
        "labels": list(metric.labels),
        "closed": {label: list(values) for label, values in metric.closed.items()},
        "buckets": list(metric.buckets),
        "help": metric.help,
        "collector": collector,
        "origin": metric.origin.value,
    }
