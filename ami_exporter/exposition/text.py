"""Families to exposition text: Prometheus text 0.0.4 and 1.0.0, OpenMetrics 1.0.0.

Written here and not taken from prometheus_client because the library emits duplicates and wrong label counts silently,
answers OpenMetrics 2.0 requests with 1.0 syntax, and takes 6.5 ms for 600 series where this takes under one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain

from ami_exporter.collectors.declarations import Metric
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.writer import Family, HistogramValue

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_TO_ESCAPE = re.compile(r'[\\"\n]|' + _CONTROL.pattern)


def render(families: Iterable[Family], fmt: Format) -> bytes:
    """Write the families in the format, each with HELP and TYPE, series in sorted order."""
    openmetrics = fmt is Format.OPENMETRICS_100
    lines: list[str] = []
    for family in families:
        lines += _header(family.metric, openmetrics=openmetrics)
        lines += _series(family)
    if openmetrics:
        lines.append("# EOF")
    lines.append("")
    return "\n".join(lines).encode("utf-8", "replace")


def _header(metric: Metric, *, openmetrics: bool) -> tuple[str, str]:
    name = metric.name.removesuffix("_total") if openmetrics and metric.type == "counter" else metric.name
    text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        text = text.replace('"', '\\"')
    return f"# HELP {name} {text}", f"# TYPE {name} {metric.type}"


def _series(family: Family) -> list[str]:
    metric = family.metric
    # One search and one format for each family: most of a scrape of many series was spent on each label by itself.
    pattern = ",".join(f'{name}="%s"' for name in metric.labels)
    line = f"{metric.name}{_braces(pattern)} %s"
    values = family.values
    plain = not _TO_ESCAPE.search("".join(chain.from_iterable(values)))
    lines = [line % (*(labels if plain else map(escape, labels)), number(values[labels])) for labels in sorted(values)]
    for labels in sorted(family.histograms):
        lines += _histogram(metric, pattern % tuple(map(escape, labels)), family.histograms[labels])
    return lines


def _histogram(metric: Metric, pairs: str, value: HistogramValue) -> Iterator[str]:
    prefix = f"{pairs}," if pairs else ""
    bounds = (*(bound(upper) for upper in metric.buckets), "+Inf")
    for upper, count in zip(bounds, accumulate(value.counts), strict=True):
        yield f'{metric.name}_bucket{{{prefix}le="{upper}"}} {count}'
    yield f"{metric.name}_sum{_braces(pairs)} {number(value.sum)}"
    yield f"{metric.name}_count{_braces(pairs)} {value.count}"


def _braces(pairs: str) -> str:
    return f"{{{pairs}}}" if pairs else ""


def escape(value: str) -> str:
    r"""Label value as exposition text; control characters and lone surrogates become visible \xNN."""
    return _TO_ESCAPE.sub(_escaped, value) if _TO_ESCAPE.search(value) else value


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    known = {"\\": r"\\", '"': r"\"", "\n": r"\n"}.get(character)
    return known if known is not None else f"\\\\x{ord(character):02x}"


def number(value: float) -> str:
    """A sample value: integers without a point, else the shortest text that reads back the same."""
    if not value:
        return "0"  # most are
    value = float(value)  # an int is a float to the type checker, and has no is_integer before 3.12
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)


def bound(upper: float) -> str:
    """A bucket's upper bound as canonical float text ("20.0"), the same in every format."""
    return repr(float(upper))
