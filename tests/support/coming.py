"""Series that boards show and that not every build has: optional collectors and rules on their way.

What the exporter declares and the rules record wins over what is written here.
"""

from __future__ import annotations

from tests.support.promql import Declared
from tests.support.series import SERIES


def _gauge(*labels: str) -> Declared:
    return Declared("gauge", frozenset(labels))


COMING = {
    "ami_exporter_event_classes": _gauge("class"),
}

SHOWN = {**COMING, **SERIES}
"""Everything that a board may show."""
