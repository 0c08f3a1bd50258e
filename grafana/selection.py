"""Which labels choose and name a PBX: job, instance, and those that /sd brings (site, customer, …).

Boards are rendered with short forms in place of them, which `select` writes out: `{@` in expressions, `by (@)`, and
`KEPT` in links.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SITE = ("site",)
"""Labels of the boards in this repository; a series without the label is chosen by All."""

KEPT = "${selection:queryparam}"
"""In a link: hand on the choice of data source, job, site, … and the time range."""


def select(node: Any, labels: Sequence[str]) -> Any:
    """Write out the short forms in every string of a board."""
    if isinstance(node, dict):
        return {key: select(value, labels) for key, value in node.items()}
    if isinstance(node, list):
        return [select(value, labels) for value in node]
    return _written_out(node, labels) if isinstance(node, str) else node


def _written_out(text: str, labels: Sequence[str]) -> str:
    matchers = ", ".join(f'{label}=~"${label}"' for label in ("job", *labels, "instance"))
    kept = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", *labels))
    return (
        text.replace("{@", "{" + matchers)
        .replace("(@", f"({', '.join(('job', *labels, 'instance'))}")
        .replace(KEPT, f"{kept}&${{__url_time_range}}")
    )


def url(uid: str, **variables: str) -> str:
    """URL of a board with these variables, and the choices made on this one."""
    chosen = "".join(f"var-{name}={value}&" for name, value in variables.items())
    return f"/d/{uid}?{chosen}{KEPT}"


def here(uid: str, *variables: str) -> str:
    """URL of a board with the same choice of instance and of these variables as on this one."""
    return f"/d/{uid}?{''.join(f'${{{name}:queryparam}}&' for name in ('instance', *variables))}{KEPT}"


def clicked(uid: str, variable: str) -> str:
    """URL of a board for the clicked cell's value."""
    return url(uid, **{variable: "${__value.text}"})
