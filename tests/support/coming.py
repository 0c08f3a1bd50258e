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
    "asterisk_canary_up": _gauge("canary"),
    "asterisk_canary_phase_seconds": Declared(
        "gauge", frozenset({"canary", "phase"}), {"phase": ("first_ringing", "answer", "total")}
    ),
    "asterisk_canary_last_run_timestamp_seconds": _gauge("canary"),
    "asterisk_canary_hangup_cause": _gauge("canary", "cause"),
    "asterisk_canary_media": Declared("gauge", frozenset({"canary", "media"}), _MEDIA),
    "asterisk_canary_loss_ratio": Declared("gauge", frozenset({"canary", "media"}), _MEDIA),
    "asterisk_canary_rtt_seconds": _gauge("canary"),
    "asterisk_canary_mes": _gauge("canary"),
    "asterisk_queue_members_wrapup": _gauge("queue"),
    "asterisk_queue_member_login_timestamp_seconds": Declared("gauge", _MEMBER),
    "asterisk_queue_member_pause_start_timestamp_seconds": Declared("gauge", _MEMBER | {"reason"}),
    "asterisk_queue_member_talk_seconds_total": Declared("counter", _MEMBER),
    "asterisk_queue_member_ring_no_answer_total": Declared("counter", _MEMBER),
    "asterisk_tenant_active_calls": _gauge("tenant"),
    "asterisk_tenant_active_channels": _gauge("tenant"),
    "ami_exporter_event_classes": _gauge("class"),
    "asterisk_endpoint_maintenance": _gauge("technology", "endpoint"),
    "tenant:asterisk_calls:rate5m": _gauge("tenant", "outcome"),
    "tenant:asterisk_talk_seconds:increase1h": _gauge("tenant"),
}

SHOWN = {**COMING, **SERIES}
"""Everything that a board may show."""
