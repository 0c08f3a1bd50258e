"""Hangup causes that say the network or the provider failed, and helpers that say so when nothing did."""

from __future__ import annotations

FAILURES = (
    "unallocated_number|no_route_transit_net|no_route_destination|channel_unacceptable|no_user_response|call_rejected"
    "|destination_out_of_order|facility_rejected|normal_circuit_congestion|network_out_of_order"
    "|normal_temporary_failure|switch_congestion|requested_chan_unavail|facility_not_subscribed"
    "|outgoing_call_barred|bearer_capability_.+|channel_not_implemented|facility_not_implemented"
    "|incompatible_destination|recovery_on_timer_expire|protocol_error"
)
"""Q.850 names; busy, no answer and hanging up are not among them."""


def seen(kind: str) -> str:
    """PBXs whose events of a class (call, agent, security, reporting) are seen now; the AMI user may lack a class.

    Counters stay what they were when a PBX dies: that nothing is added says nothing.
    """
    return f'ami_exporter_event_classes{{@, class="{kind}"}}'


def of_seen(expression: str, kind: str = "call", *, on: str = "instance") -> str:
    """Lines of each PBX from its events, but only of moments at which they were seen.

    What rules record of a window goes on for as long after a PBX died, as if nothing had happened.
    """
    return f"{expression} and on ({on}) {seen(kind)}"


def while_seen(expression: str, kind: str = "call") -> str:
    """The figures of events, but only of moments at which those of one of the chosen PBXs were seen."""
    return f"{expression} and on () count({seen(kind)}) > 0"


def or_none(failures: str, label: str, word: str, *, known: str) -> str:
    """Series of failures, or where there is none but the figures are known, one at 0 that says so.

    known: an expression with a value as long as the figures are known at all.
    """
    return f'{failures} or on () label_replace(0 * sum({known}), "{label}", "{word}", "", "")'
