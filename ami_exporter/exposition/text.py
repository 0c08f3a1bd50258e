"""Families to exposition text: Prometheus text 0.0.4 and 1.0.0, OpenMetrics 1.0.0.

Written here and not taken from prometheus_client because the library emits duplicates and wrong label counts silently,
answers OpenMetrics 2.0 requests with 1.0 syntax, and takes 6.5 ms for 600 series where this takes under one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain

from ami_exporter.collectors.declarations import LabelSet, Metric
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.writer import Family, HistogramValue

#: Metrics in a format whose fixed text is remembered: all of ours in two formats, and a thousand of users' own.
FORMS = 2_000
#: Texts remembered of families in which all is 0, and of such histograms: most are, and the same for all PBXs. And the
#: most characters of all labels in one: 10 MB in all at worst.
ZEROS = 1_000
MAX_LABELS = 4_000
#: Stands for the labels in a histogram's lines; it is in no name.
PAIRS = "\0"

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_TO_ESCAPE = re.compile(r'[\\"\n]|' + _CONTROL.pattern)


def render(families: Iterable[Family], fmt: Format) -> bytes:
    """Write the families in the format, each with HELP and TYPE, series in sorted order."""
    openmetrics = fmt is Format.OPENMETRICS_100
    parts: list[bytes] = []  # each for itself: in one text, a sign beyond ASCII made all of it slow to encode
    for family in families:
        form = _form(family.metric, openmetrics)
        parts.append(form.header)
        if family.values:
            parts.append(_series(form, family.values))
        if family.histograms:
            parts += [_histogram(form, labels, family.histograms[labels]) for labels in sorted(family.histograms)]
    if openmetrics:
        parts.append(b"# EOF\n")
    return b"".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    """What the text of a family is in each scrape, with %s for label values and numbers.

    line: a series. pairs: its labels. child: the series of one histogram, with PAIRS where the labels go. buckets: how
    many it has.
    """

    header: bytes
    line: str
    pairs: str
    child: str
    buckets: int


@lru_cache(FORMS)
def _form(metric: Metric, openmetrics: bool) -> _Form:
    name, pairs = metric.name, ",".join(f'{label}="%s"' for label in metric.labels)
    prefix, whole = (f"{PAIRS},", f"{{{PAIRS}}}") if pairs else ("", "")
    bounds = (*map(bound, metric.buckets), "+Inf")
    child = "".join(f'{name}_bucket{{{prefix}le="{upper}"}} %s\n' for upper in bounds)
    child += f"{name}_sum{whole} %s\n{name}_count{whole} %s\n"
    line = f"{name}{{{pairs}}} %s\n" if pairs else f"{name} %s\n"
    return _Form(_header(metric, openmetrics=openmetrics), line, pairs, child, len(bounds))


def _header(metric: Metric, *, openmetrics: bool) -> bytes:
    name = metric.name.removesuffix("_total") if openmetrics and metric.type == "counter" else metric.name
    text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        text = text.replace('"', '\\"')
    return f"# HELP {name} {text}\n# TYPE {name} {metric.type}\n".encode("utf-8", "replace")


def _series(form: _Form, values: Mapping[LabelSet, float]) -> bytes:
    if any(values.values()) or len("".join(chain.from_iterable(values))) > MAX_LABELS:
        return _lines(form, values)
    return _zero_lines(form, tuple(values))


@lru_cache(ZEROS)
def _zero_lines(form: _Form, label_sets: tuple[LabelSet, ...]) -> bytes:
    return _lines(form, dict.fromkeys(label_sets, 0.0))


def _lines(form: _Form, values: Mapping[LabelSet, float]) -> bytes:
    # One search and one format for each family: most of a scrape of many series was spent on each label by itself.
    fields: list[str] = []
    for labels in sorted(values):
        fields += labels
        fields.append(number(values[labels]) if values[labels] else "0")  # most are 0
    if not _plain("".join(fields)):
        fields = list(map(escape, fields))
    return (form.line * len(values) % tuple(fields)).encode("utf-8", "replace")


def _histogram(form: _Form, labels: LabelSet, value: HistogramValue) -> bytes:
    if value.count or len("".join(labels)) * form.buckets > MAX_LABELS:
        return _child(form, labels, value)
    return _zero_child(form, labels)


@lru_cache(ZEROS)
def _zero_child(form: _Form, labels: LabelSet) -> bytes:
    return _child(form, labels, HistogramValue([0] * form.buckets))


def _child(form: _Form, labels: LabelSet, value: HistogramValue) -> bytes:
    pairs = form.pairs % tuple(map(escape, labels))
    lines = form.child.replace(PAIRS, pairs.replace("%", "%%"))
    return (lines % (*accumulate(value.counts), number(value.sum), value.count)).encode("utf-8", "replace")


def escape(value: str) -> str:
    r"""Label value as exposition text; control characters and lone surrogates become visible \xNN."""
    return value if _plain(value) else _TO_ESCAPE.sub(_escaped, value)


def _plain(text: str) -> bool:
    """Whether nothing is to be escaped, as far as can be told quickly: all that is to be is not printable."""
    return text.isprintable() and '"' not in text and "\\" not in text


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
