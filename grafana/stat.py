"""Numbers: one, a share such as 58/60, a sentence, or a wall of them with one tile for each object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from grafana.colours import BAD, DIM, GOOD
from grafana.model import Json, Panel, Query, override
from grafana.problems import UNTOLD


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """One number (or one for each series), instant; filled colours the whole panel for the wall.

    text: what is written: "auto", "value", "name" (the legend alone) or "value_and_name".
    """

    kind: ClassVar[str] = "stat"
    width: int = 4
    height: int = 4
    filled: bool = False
    text: str = "auto"
    nothing: str = "–"

    def targets(self) -> tuple[Query, ...]:
        """Instant queries: a number on the wall is about now."""
        return tuple(Query(expr=query.expr, legend=query.legend, instant=True) for query in self.queries)

    def defaults(self) -> Json:
        """No data is not zero: a grey dash says that nothing is known."""
        return {**super().defaults(), "color": {"mode": "thresholds"}}

    def unknown(self) -> str:
        """The same for no value as for no data."""
        return self.nothing

    def reduce(self) -> Json:
        """Grafana's reduceOptions: the last value of each series."""
        return {"calcs": ["lastNotNull"], "fields": "", "values": False}

    def options(self) -> Json:
        """Grafana's options of a stat."""
        return {
            "reduceOptions": self.reduce(),
            "colorMode": "background" if self.filled else "value",
            "graphMode": "none",
            "textMode": self.text,
            "justifyMode": "auto",
            "orientation": "auto",
            "wideLayout": False,
        }


@dataclass(frozen=True, kw_only=True)
class Named(Stat):
    """A tile that shows a word, which the one query has as a label; "unknown" in grey where there is none."""

    label: str
    unit: str = "none"
    text: str = "name"
    values: dict[str, tuple[str, str]] | None = field(default_factory=lambda: {"-1": ("unknown", DIM)})

    def targets(self) -> tuple[Query, ...]:
        """The query, or the word for nothing."""
        (query,) = self.queries
        unknown = f'label_replace(vector(-1), "{self.label}", "unknown", "", "")'
        return (Query(expr=f"{query.expr} or on () {unknown}", legend=f"{{{{{self.label}}}}}", instant=True),)


@dataclass(frozen=True, kw_only=True)
class Share(Stat):
    """A tile that says "58/60", coloured by the value of `trouble`.

    All three expressions answer one sample without labels; PromQL writes numbers into labels by count_values. When one
    is absent the tile says in grey "unknown", or "none" where the collector that lists such things did its work and the
    AMI user may read what it lists.
    """

    have: str
    total: str
    trouble: str
    collector: str
    filled: bool = True
    text: str = "name"
    values: dict[str, tuple[str, str]] | None = field(
        default_factory=lambda: {"-1": ("unknown", DIM), "-2": ("none", DIM)}
    )

    def targets(self) -> tuple[Query, ...]:
        """One query made of the three."""
        return (
            Query(
                expr=f"""label_join(
                    ({self.trouble}) * on () group_right () (
                        count_values("have", {self.have}) * on () group_left (total)
                        count_values("total", {self.total})
                    ), "text", "/", "have", "total"
                )
                or on () label_replace({self._none()}, "text", "none", "", "")
                or on () label_replace(vector(-1), "text", "unknown", "", "")""",
                legend="{{text}}",
                instant=True,
            ),
        )

    def _none(self) -> str:
        succeeded = f'asterisk_scrape_collector_success{{@, collector="{self.collector}"}}'
        return f"(min({succeeded}) == 1) * 0 - 2 and on () max({UNTOLD}) == 0"


@dataclass(frozen=True, kw_only=True)
class Wall(Stat):
    """A tile for each object, sorted by its labels; the query answers one sample for each."""

    width: int = 24
    filled: bool = True
    text: str = "name"
    keys: tuple[str, ...]

    def targets(self) -> tuple[Query, ...]:
        """Instant, as rows that can be sorted."""
        return tuple(Query(expr=query.expr, instant=True, format="table") for query in self.queries)

    def reduce(self) -> Json:
        """A tile for each row."""
        return {"calcs": [], "fields": "/^Value$/", "values": True, "limit": 1000}

    def options(self) -> Json:
        """Names of one size, so that a long one does not shrink the others."""
        return {**super().options(), "text": {"titleSize": 13, "valueSize": 13}}

    def overrides(self) -> list[Json]:
        """A name made of digits is a name."""
        return [override(key, unit="string") for key in self.keys]

    def transformations(self) -> list[Json]:
        """Sort by the keys and leave out every other label, so that a tile is named by its keys."""
        names = ["Value", *self.keys]
        return [
            {"id": "filterFieldsByName", "options": {"include": {"names": names}}},
            # Grafana sorts by one field, and keeps the order of equals.
            *({"id": "sortBy", "options": {"fields": {}, "sort": [{"field": key}]}} for key in reversed(self.keys)),
            {"id": "organize", "options": {"indexByName": {name: place for place, name in enumerate(self.keys)}}},
        ]


def problem_count(most: int = 20) -> dict[str, tuple[str, str]]:
    """Values of a tile that writes a number of problems as words: OK, 1 problem, 2 problems and so on."""
    return {"0": ("OK", GOOD), "1": ("1 problem", BAD), **{str(n): (f"{n} problems", BAD) for n in range(2, most + 1)}}
