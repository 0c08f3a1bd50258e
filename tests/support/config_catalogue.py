"""The catalogue that the configuration tests check against: small, and fixed here."""

from collections.abc import Mapping

from ami_exporter.ami import destinations
from ami_exporter.ami.cli_commands import refusal
from ami_exporter.config.catalogue import Catalogue

ENVIRON = {"PBX_SECRET": "s3cret", "PBX_SECRET_EMPTY": "", "PBX_SECRET_TWO_LINES": "one\ntwo"}


def catalogue(environ: Mapping[str, str] = ENVIRON) -> Catalogue:
    """A few collectors, built-in metrics and safe actions."""
    return Catalogue(
        collectors={
            "channels": ("Status", "CoreShowChannels"),
            "core": (),
            "endpoints": (),
            "queues": (),
            "taskprocessors": (),
            "voicemail": (),
        },
        metrics=frozenset({"asterisk_up", "asterisk_active_channels"}),
        actions={
            "DBGetTree": ("DBGetTreeResponse",),
            "DeviceStateList": ("DeviceStateChange",),
            "PJSIPShowRegistrationsOutbound": ("OutboundRegistrationDetail", "AuthDetail"),
            "QueueStatus": ("QueueParams", "QueueMember", "QueueEntry"),
        },
        unheard=frozenset({"dtmfend"}),
        environ=environ,
        refused_command=refusal,
        refused_destination=lambda channel, internal: destinations.refusal(channel, internal=internal),
    )
