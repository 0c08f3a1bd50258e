"""Reads PromQL as Prometheus would and says what is wrong with it, given the metrics that exist.

Follows label sets through an expression, so that a label that does not exist, a word that is not in the vocabulary
and a match between two sides that can never match are found without data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import promql_parser as promql

TARGET = frozenset({"job", "site", "instance"})
SET_OPERATORS = {"and", "or", "unless"}
KEEPS_LABELS = {"topk", "bottomk"}
NAMES_LABEL = {"label_replace", "label_join"}
COUNTING = {"rate", "irate", "increase"}
SCALARS = {"time", "scalar", "pi"}


@dataclass(frozen=True)
class Declared:
    """A metric that exists. type is counter, gauge or histogram; closed holds the words a label may have."""

    type: str
    labels: frozenset[str] = frozenset()
    closed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


def series_of(metrics: Mapping[str, Declared]) -> dict[str, Declared]:
    """Names as Prometheus stores them: a histogram is its buckets, sum and count."""
    found: dict[str, Declared] = {}
    for name, metric in metrics.items():
        if metric.type != "histogram":
            found[name] = metric
            continue
        bounds = {"le": (*(str(float(bound)) for bound in metric.buckets), "+Inf")}
        found[f"{name}_bucket"] = Declared("counter", metric.labels | {"le"}, {**metric.closed, **bounds})
        found[f"{name}_sum"] = Declared("counter", metric.labels, metric.closed)
        found[f"{name}_count"] = Declared("counter", metric.labels, metric.closed)
    return found


class Reader:
    """Label set of an expression's result, None for a scalar; faults are collected."""

    def __init__(self, series: Mapping[str, Declared]) -> None:
        self.series = series
        self.faults: list[str] = []

    def labels(self, expr: object) -> frozenset[str] | None:
        found: frozenset[str] | None = None
        match expr:
            case promql.NumberLiteral() | promql.StringLiteral():
                pass
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                found = self.labels(expr.expr)
            case promql.MatrixSelector():
                found = self.selector(expr.vector_selector)
            case promql.VectorSelector():
                if self.series.get(expr.name or "", Declared("gauge")).type == "counter":
                    self.faults.append(f"{expr.name}: a counter, but not in rate() or increase()")
                found = self.selector(expr)
            case promql.Call():
                found = self.call(expr)
            case promql.AggregateExpr():
                found = self.aggregate(expr)
            case promql.BinaryExpr():
                found = self.binary(expr)
            case _:
                raise TypeError(f"unknown part of an expression: {type(expr).__name__}")
        return found

    def selector(self, selector: promql.VectorSelector) -> frozenset[str]:
        name = selector.name or ""
        metric = self.series.get(name)
        if metric is None:
            self.faults.append(f"{name or selector}: no such metric")
            return TARGET
        for matcher in selector.matchers.matchers:
            if matcher.name not in metric.labels | TARGET:
                self.faults.append(f"{name}: no label {matcher.name}, has {sorted(metric.labels)}")
            self.words(name, matcher, metric.closed.get(matcher.name))
        return metric.labels | TARGET

    def words(self, name: str, matcher: promql.Matcher, closed: tuple[str, ...] | None) -> None:
        if closed is None or matcher.value.startswith("$"):
            return
        regex = matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
        for word in matcher.value.split("|") if regex else [matcher.value]:
            if not any(re.fullmatch(word, known) if regex else word == known for known in closed):
                self.faults.append(f"{name}: {matcher.name} is never {word!r}, but one of {closed}")

    def call(self, call: promql.Call) -> frozenset[str] | None:
        name = call.func.name
        if name in COUNTING:
            for selector in selectors(call):
                if self.series.get(selector.name or "", Declared("counter")).type != "counter":
                    self.faults.append(f"{selector.name}: not a counter, but in {name}()")
        found = [labels for labels in map(self.labels, call.args) if labels is not None]
        if name in SCALARS:
            return None
        result = frozenset[str]().union(*found)
        if name in NAMES_LABEL:
            result |= {text(call.args[1])}
        return result - {"le"} if name == "histogram_quantile" else result

    def aggregate(self, expr: promql.AggregateExpr) -> frozenset[str]:
        inner = self.labels(expr.expr) or frozenset()
        operator = str(expr.op)
        if operator == "count_values":
            inner |= {text(expr.param)}
        named = frozenset(expr.modifier.labels) if expr.modifier else frozenset[str]()
        if missing := named - inner:
            self.faults.append(f"{operator}: labels {sorted(missing)} are not in {sorted(inner)}")
        if operator in KEEPS_LABELS:
            return inner
        if expr.modifier and expr.modifier.type == promql.AggModifierType.Without:
            return inner - named
        return named & inner | ({text(expr.param)} if operator == "count_values" else frozenset())

    def binary(self, expr: promql.BinaryExpr) -> frozenset[str] | None:
        left, right = self.labels(expr.lhs), self.labels(expr.rhs)
        if left is None or right is None:
            return right if left is None else left
        operator = str(expr.op)
        modifier = expr.modifier
        if modifier is None or modifier.matching is None:
            empty = frozenset[str]() in (left, right)
            if left != right and not (operator == "or" or empty):
                self.faults.append(f"{sorted(left)} {operator} {sorted(right)}: can never match")
            return left | right if operator == "or" else left
        named = frozenset(modifier.matching.labels)
        if modifier.matching.type == promql.LabelModifierType.Include:
            if missing := (named - left) | (named - right):
                self.faults.append(f"on {sorted(missing)}: not on both sides of {operator}")
            kept = named
        else:
            kept = left - named
        if operator == "or":
            return left | right
        if operator in SET_OPERATORS or operator in {">", "<", ">=", "<=", "==", "!="}:
            return left
        if modifier.card == promql.VectorMatchCardinality.ManyToOne:
            kept = left
        if modifier.card == promql.VectorMatchCardinality.OneToMany:
            kept = right
        return kept | frozenset(modifier.group_labels or ())


def text(literal: object) -> str:
    """A string in an expression."""
    if not isinstance(literal, promql.StringLiteral):
        raise TypeError(f"expected a string, found {type(literal).__name__}")
    return str(literal.val)


def selectors(expr: object) -> Iterator[promql.VectorSelector]:
    """All selectors of an expression."""
    match expr:
        case promql.VectorSelector():
            yield expr
        case promql.MatrixSelector():
            yield expr.vector_selector
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr() | promql.AggregateExpr():
            yield from selectors(expr.expr)
        case promql.Call():
            for argument in expr.args:
                yield from selectors(argument)
        case promql.BinaryExpr():
            yield from selectors(expr.lhs)
            yield from selectors(expr.rhs)


def faults_of(text: str, series: Mapping[str, Declared]) -> list[str]:
    """What is wrong with an expression; empty when nothing is."""
    return read(text, series)[1]


def read(text: str, series: Mapping[str, Declared]) -> tuple[frozenset[str], list[str]]:
    """Label set of the result (empty for a scalar) and what is wrong with the expression."""
    try:
        expr = promql.parse(text)
    except ValueError as error:
        return frozenset(), [f"does not parse: {error}"]
    reader = Reader(series)
    labels = reader.labels(expr)
    return labels or frozenset(), reader.faults
