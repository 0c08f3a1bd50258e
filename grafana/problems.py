"""What counts as trouble of a PBX, the same on every board: one expression for each kind, answering one sample a PBX.

A PBX that is down has no figures, so it counts once. One phone that is unplugged is no trouble of a PBX.
"""

from __future__ import annotations

REACHED = 'asterisk_endpoints{@, state=~"reachable|lagged"}'
PHONES_NOW = f"sum by (@) ({REACHED})"
PHONES_OF_THE_DAY = f"(max_over_time({PHONES_NOW}[1d:15m]) > {PHONES_NOW} or {PHONES_NOW})"
"""Most endpoints that were reachable at once within a day: those that should be."""

KNOWN = "max by (@) (asterisk_up{@} or last_over_time(asterisk_up{@}[1d:15m]))"
"""Every PBX that was seen within a day, also one whose exporter or target is gone."""

UNSEEN = f"{KNOWN} unless on (job, instance) asterisk_up{{@}}"
STATE = f"(max by (@) (asterisk_up{{@}}) or on (job, instance) ({KNOWN} * 0 - 1))"
"""1 up, 0 down, −1 nothing is known: Prometheus does not get its figures."""
STATES = {"1": ("up", "green"), "0": ("down", "red"), "-1": ("unknown", "#8e8e8e")}

TRUNKS_DOWN = "sum by (@) (asterisk_trunk_up{@} == bool 0)"
WITHOUT_TRUNK = "max by (@) (asterisk_trunk_up{@}) == bool 0"
REGISTRATIONS_DOWN = """sum by (@) (
    asterisk_registration_up{@} == bool 0 unless on (job, instance, registration) asterisk_trunk_info{@}
)"""
"""Registrations of trunks count as trunks: one fault is one problem."""
QUEUES_ALONE = "sum by (@) ((asterisk_queue_callers{@} > bool 0) * (asterisk_queue_members_ready{@} == bool 0))"
PHONES_LOST = f"({PHONES_OF_THE_DAY} - {PHONES_NOW})"
MANY_PHONES_LOST = f"{PHONES_LOST} > bool clamp_min(0.25 * {PHONES_NOW}, 1)"
"""A fifth of the day's phones, and at least two."""
UNREAD = """
    (asterisk_up{@} unless on (job, instance) asterisk_active_calls{@})
    or (
        count by (@) (ami_exporter_event_classes{@}) * 0 + 1
        unless on (job, instance) ami_exporter_event_classes{@, class="call"}
    )
"""
"""The AMI user may not read calls, or their events."""
BLIND = f"""max by (@) (
    asterisk_scrape_collector_success{{@}} == bool 0 or ami_exporter_link_up{{@}} == bool 0 or {UNREAD}
) and on (job, instance) asterisk_up{{@}} == 1"""
"""Up, but a list is not answered, events are not seen, or calls or their events may not be read."""
TOLD_BY = "core|channels|trunks|registrations|endpoints|queues"
UNTOLD = f"""max by (@) (
    asterisk_scrape_collector_success{{@, collector=~"{TOLD_BY}"}} == bool 0 or {UNREAD}
) and on (job, instance) asterisk_up{{@}} == 1"""
"""Up, but what telephony is made of is not told: that no trunk is listed does not mean that there is none."""

CANARIES_DOWN = "sum by (@) (asterisk_canary_up{@} == bool 0)"

KINDS = {
    "trunks": TRUNKS_DOWN,
    "registrations": REGISTRATIONS_DOWN,
    "queues": QUEUES_ALONE,
    "phones": MANY_PHONES_LOST,
    "canaries": CANARIES_DOWN,
    "figures": BLIND,
}


def _named(name: str, expression: str) -> str:
    return f'label_replace({expression}, "problem", "{name}", "", "")'


def _sum(kinds: dict[str, str]) -> str:
    return f"sum by (@) ({' or '.join(_named(name, expression) for name, expression in kinds.items())})"


TELEPHONY = (
    f"{_sum({name: KINDS[name] for name in KINDS if name != 'figures'})} and on (job, instance) asterisk_up{{@}} == 1"
)
"""Problems of a PBX that answers; of one that does not nothing is known."""

PROBLEMS = _sum({"down": f"(asterisk_up{{@}} == bool 0) or on (job, instance) ({UNSEEN}) * 0 + 1", **KINDS})
"""All of them, of every PBX that was seen within a day."""
