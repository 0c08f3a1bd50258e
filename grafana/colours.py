"""Colours by meaning, the same on every board: green serves, red fails, orange warns, blue is work, grey is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GOOD, WARN, BAD, WORK, CALM, ODD, DIM = "green", "orange", "red", "blue", "super-light-blue", "purple", "#8e8e8e"


NOTHING = ("none", "no failures", "no channels")
"""Series at zero that say that there is nothing: a grey line."""


@dataclass(frozen=True)
class Steps:
    """Threshold colours: the base, then (from value, colour) rising."""

    base: str
    rising: tuple[tuple[float, str], ...] = ()

    def render(self) -> dict[str, object]:
        """Grafana's thresholds."""
        steps = [{"color": self.base, "value": None}, *({"color": c, "value": v} for v, c in self.rising)]
        return {"mode": "absolute", "steps": steps}


@dataclass(frozen=True)
class Words:
    """Colour of each word of a closed label."""

    colours: Mapping[str, str]

    def properties(self) -> dict[str, dict[str, object]]:
        """Properties of the series of each word: its colour, and its name in plain words."""
        return {
            word: {"color": {"mode": "fixed", "fixedColor": colour}}
            | ({"displayName": word.replace("_", " ")} if "_" in word else {})
            for word, colour in self.colours.items()
        }


PLAIN = Steps(WORK)
NEUTRAL = Steps("text")
NONE_IS_GOOD = Steps(GOOD, ((1, BAD),))
NONE_IS_BEST = Steps(GOOD, ((1, WARN),))
NONE_IS_BAD = Steps(BAD, ((1, GOOD),))
FREE = Steps(WARN, ((1, GOOD),))
SHARE_KEPT = Steps(BAD, ((0.7, WARN), (0.8, GOOD)))
SHARE_LOST = Steps(GOOD, ((0.05, WARN), (0.1, BAD)))
SHARE_USED = Steps(GOOD, ((0.8, WARN), (0.95, BAD)))
SHARE_WORKS = Steps(BAD, ((0.8, WARN), (0.9, GOOD)))

UP_DOWN = {"0": ("down", BAD), "1": ("up", GOOD)}
YES_NO = {"0": ("no", BAD), "1": ("yes", GOOD)}

OUTCOMES = Words(
    {
        "answered": GOOD,
        "busy": "yellow",
        "no_answer": CALM,
        "cancelled": ODD,
        "congestion": WARN,
        "unavailable": BAD,
        "other": DIM,
    }
)
BRIDGES = Words({"simple_bridge": WORK, "native_rtp": GOOD, "softmix": ODD, "holding_bridge": "yellow"})
CHANNELS_AND_CALLS = Words({"calls": WORK, "channels": CALM})
CALLS = Words({"answered": GOOD, "unanswered": WARN})
QUEUE_OUTCOMES = Words({"answered": GOOD, "abandoned": BAD, "timeout": WARN, "other": DIM})
DIRECTIONS = Words({"inbound": WORK, "outbound": ODD, "internal": CALM})
DEVICE_STATES = Words(
    {
        "not_in_use": GOOD,
        "in_use": WORK,
        "busy": "dark-blue",
        "ringing": "yellow",
        "ring_in_use": "dark-yellow",
        "on_hold": ODD,
        "unavailable": BAD,
        "invalid": "dark-red",
        "unknown": DIM,
    }
)
REACHABILITY = Words({"reachable": GOOD, "lagged": WARN, "unreachable": BAD, "unmonitored": CALM, "unknown": DIM})
CONTACTS = Words(
    {
        "reachable": GOOD,
        "unreachable": BAD,
        "non_qualified": CALM,
        "removed": ODD,
        "unknown": DIM,
        "other": "#b0b0b0",
    }
)
CHANNEL_STATES = Words(
    {
        "up": GOOD,
        "ringing": "yellow",
        "ring": "dark-yellow",
        "dialing": WORK,
        "dialing_off_hook": "dark-blue",
        "busy": WARN,
        "down": DIM,
        "reserved": CALM,
        "off_hook": ODD,
        "pre_ring": "light-yellow",
        "no channels": DIM,
    }
)
TECHNOLOGIES = Words({"PJSIP": WORK, "SIP": CALM, "IAX2": ODD, "Local": "#b0b0b0", "no channels": DIM})
CAUSES = Words(
    {
        "answered_elsewhere": GOOD,
        "user_busy": "yellow",
        "no_answer": CALM,
        "subscriber_absent": "light-blue",
        "none": DIM,
        "interworking": "#b0b0b0",
        "unallocated_number": "dark-yellow",
        "invalid_number_format": "light-yellow",
        "no_user_response": "light-orange",
        "normal_circuit_congestion": WARN,
        "normal_temporary_failure": "dark-orange",
        "recovery_on_timer_expire": "semi-dark-orange",
        "call_rejected": BAD,
        "network_out_of_order": "dark-red",
        "destination_out_of_order": "semi-dark-red",
        "no_route_destination": "light-red",
        "no failures": DIM,
    }
)
REGISTRATIONS = Words(
    {
        "registered": GOOD,
        "unregistered": WARN,
        "rejected": BAD,
        "pending": "yellow",
        "timeout": "dark-red",
        "failed": "semi-dark-red",
        "other": DIM,
    }
)
PEERS = Words(
    {
        "registered": GOOD,
        "reachable": "light-green",
        "unregistered": ODD,
        "unreachable": BAD,
        "lagged": WARN,
        "rejected": "dark-red",
        "unknown": DIM,
        "other": "#b0b0b0",
    }
)
SIP_CODES = Words(
    {
        "403": BAD,
        "404": "dark-yellow",
        "408": "light-orange",
        "480": CALM,
        "486": "yellow",
        "487": DIM,
        "488": ODD,
        "500": "dark-red",
        "502": "semi-dark-red",
        "503": WARN,
        "504": "dark-orange",
        "603": "light-red",
        "other": "#b0b0b0",
        "no failures": DIM,
    }
)
SECURITY = Words(
    {
        "InvalidPassword": BAD,
        "InvalidAccountID": WARN,
        "ChallengeResponseFailed": "yellow",
        "FailedACL": ODD,
        "UnexpectedAddress": "light-purple",
        "RequestBadFormat": DIM,
        "SessionLimit": "dark-red",
        "MemoryLimit": "dark-red",
        "LoadAverageLimit": "dark-red",
        "none": DIM,
    }
)
SERVICES = Words({"AMI": BAD, "PJSIP": WORK, "SIP": CALM, "IAX2": ODD, "none": DIM})
AGENTS = Words({"idle": GOOD, "on_call": WORK, "logged_off": DIM, "unknown": "#b0b0b0"})
AUDIO = Words({"heard": GOOD, "stopped": WARN, "silent": BAD, "unknown": DIM})
LOSS_BANDS = Words({"over 1 %": "yellow", "over 3 %": WARN, "over 10 %": BAD})
MEDIA = Words({"inbound": WORK, "outbound": ODD})
LINKS = Words(
    {
        "connected: poll": WORK,
        "connected: events": CALM,
        "login failed: authentication": BAD,
        "login failed: refused": WARN,
        "login failed: timeout": "yellow",
        "login failed: tls": ODD,
        "login failed: protocol": "dark-red",
        "none": DIM,
    }
)
