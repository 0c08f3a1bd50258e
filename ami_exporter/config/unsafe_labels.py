"""Warnings about labels that only `unsafe_labels: true` allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ami_exporter.config.custom_settings import CustomMetricsSettings
from ami_exporter.config.labelfields import may_be_column, may_be_label


def warnings(custom: Sequence[CustomMetricsSettings]) -> Iterator[str]:
    """Yield a warning for each label that only `unsafe_labels: true` allows; it names the field."""
    for index, entry in enumerate(custom):
        for number, metric in enumerate(entry.metrics):
            for label in metric.labels:
                if entry.command is not None:
                    allowed = may_be_column(label.field)
                else:
                    allowed = may_be_label(entry.item or entry.event, label.field)
                if entry.unsafe_labels and label.values is None and not allowed:
                    yield (
                        f"custom[{index}].metrics[{number}].labels.{label.name}: the field {label.field} may hold a"
                        " number, a person's name, an address or an id; unsafe_labels: true lets it into the metrics"
                    )
