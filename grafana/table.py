"""A table with one row for each object: every column brings its own query, joined on the key labels."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from grafana.colours import Steps
from grafana.model import Json, Panel, Query, mapping, override


@dataclass(frozen=True, kw_only=True)
class Column:
    """A figure of each row. Its expression answers one sample for each set of key labels."""

    title: str
    expr: str
    unit: str = "short"
    decimals: int | None = None
    thresholds: Steps | None = None
    values: dict[str, tuple[str, str]] | None = None
    hidden: bool = False
    filled: bool = False
    width: int | None = None

    def properties(self) -> Json:
        """Grafana's field properties of this column."""
        found: Json = {"displayName": self.title, "unit": self.unit}
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.values:
            found["mappings"] = mapping(self.values)
        if self.width:
            found["custom__width"] = self.width
        if self.thresholds:
            found["thresholds"] = self.thresholds.render()
        if self.thresholds or self.values:
            found["custom__cellOptions"] = (
                {"type": "color-background", "mode": "basic"} if self.filled else {"type": "color-text"}
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """Rows by key labels. keys: label → heading; unseen: those that only join. links: label → URL that tells more.

    only: rows whose column of that title is above zero. widths: pixels of key columns; one is left to take the rest.
    words: key label → colour of its words.
    """

    kind: ClassVar[str] = "table"
    keys: dict[str, str]
    columns: tuple[Column, ...]
    unseen: tuple[str, ...] = ()
    links: dict[str, str] | None = None
    sort: tuple[str, bool] | None = None
    only: str = ""
    widths: dict[str, int] | None = None
    words: dict[str, dict[str, tuple[str, str]]] | None = None
    width: int = 24

    def targets(self) -> tuple[Query, ...]:
        """One instant query a column."""
        return tuple(Query(expr=column.expr, instant=True, format="table") for column in self.columns)

    def custom(self) -> Json:
        """Columns may be narrower than Grafana's 150 pixels, so that a row fits on a screen."""
        return {"minWidth": 60, "cellOptions": {"type": "auto"}}

    def _fields(self) -> list[str]:
        """Names Grafana gives the columns' values."""
        if len(self.columns) == 1:
            return ["Value"]
        return [f"Value #{letter}" for _, letter in zip(self.columns, ascii_uppercase, strict=False)]

    def overrides(self) -> list[Json]:
        """Headings and looks of keys and figures."""
        keys = []
        for label, heading in self.keys.items():
            # An empty label would say what the table says when it is empty.
            properties: Json = {"displayName": heading, "unit": "string", "noValue": "–"}
            if self.widths and label in self.widths:
                properties["custom__width"] = self.widths[label]
            if self.words and label in self.words:
                properties |= {"mappings": mapping(self.words[label]), "custom__cellOptions": {"type": "color-text"}}
            if self.links and label in self.links:
                properties["links"] = [{"title": f"Open this {heading.lower()}", "url": self.links[label]}]
            keys.append(override(label, **properties))
        figures = [override(field, **one.properties()) for field, one in zip(self._fields(), self.columns, strict=True)]
        first = next(column for column in self.columns if not column.hidden)
        # Grafana's name for the only figure, when no other query finds anything.
        alone = [override("Value", **first.properties())] if len(self.columns) > 1 else []
        return [*keys, *figures, *alone]

    def options(self) -> Json:
        """Grafana's options of a table."""
        sort = [{"displayName": self.sort[0], "desc": self.sort[1]}] if self.sort else []
        return {"showHeader": True, "cellHeight": "sm", "sortBy": sort}

    def transformations(self) -> list[Json]:
        """Rows of equal keys become one; the order of columns is ours; what is no column goes."""
        fields = self._fields()
        order = [*self.keys, *fields]
        hidden = [field for field, column in zip(fields, self.columns, strict=True) if column.hidden]
        titles = [column.title for column in self.columns]
        chosen = {"id": "greater", "options": {"value": 0}}
        return [
            {"id": "merge", "options": {}},
            *(
                {
                    "id": "filterByValue",
                    "options": {
                        "type": "include",
                        "match": "all",
                        "filters": [{"fieldName": fields[titles.index(self.only)], "config": chosen}],
                    },
                }
                for _ in ([self.only] if self.only else [])
            ),
            {
                "id": "organize",
                "options": {
                    "excludeByName": dict.fromkeys(("Time", *hidden, *self.unseen), True),
                    "indexByName": {name: index for index, name in enumerate(order)},
                    "renameByName": {},
                },
            },
        ]
