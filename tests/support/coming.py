"""Series that boards show and that not every build has: optional collectors and rules on their way.

What the exporter declares and the rules record wins over what is written here.
"""

from __future__ import annotations

from tests.support.promql import Declared
from tests.support.series import SERIES

_MEDIA = {"media": ("inbound", "outbound")}
_MEMBER = frozenset({"queue", "member"})


def _gauge(*labels: str) -> Declared:
    return Declared("gauge", frozenset(labels))


COMING = {
    "asterisk_queue_member_login_timestamp_seconds": Declared("gauge", _MEMBER),
    "asterisk_queue_member_pause_start_timestamp_seconds": Declared("gauge", _MEMBER | {"reason"}),
    "asterisk_queue_member_talk_seconds_total": Declared("counter", _MEMBER),
    "asterisk_queue_member_ring_no_answer_total": Declared("counter", _MEMBER),
    "ami_exporter_event_classes": _gauge("class"),
}

SHOWN = {**COMING, **SERIES}
"""Everything that a board may show."""
