"""Items of the lists of channels and bridges, as Asterisk 22 writes them (Status: 30 lines, about 640 bytes)."""

from __future__ import annotations

from . import blocks
from .wire import headers, item
from .world import Bridge, Channel

# Sample rate of the codecs in use, for the translation paths of Status.
CODEC_RATES = {"alaw": 8000, "ulaw": 8000, "g722": 16000, "opus": 48000}


def status_item(chan: Channel, now: float) -> str:
    """Status (main/manager.c, generate_status); ``now`` in simulated seconds."""
    codec = chan.endpoint.codec
    read, write = _paths(codec, chan.transcoded_to)
    used = chan.transcoded_to or codec
    body = headers(
        ("Type", chan.endpoint.tech),
        ("DNID", chan.exten),
        ("EffectiveConnectedLineNum", chan.connected.number or blocks.UNKNOWN),
        ("EffectiveConnectedLineName", chan.connected.name or blocks.UNKNOWN),
        ("TimeToHangup", 0),
        ("BridgeID", chan.bridge.uniqueid if chan.bridge else ""),
        ("Application", chan.application),
        ("Data", chan.data),
        ("Nativeformats", f"({codec})"),
        ("Readformat", used),
        ("Readtrans", read),
        ("Writeformat", used),
        ("Writetrans", write),
        ("Callgroup", 0),
        ("Pickupgroup", 0),
        ("Seconds", int(now - chan.created)),
    )
    return item("Status", f"Privilege: Call\r\n{blocks.channel(chan)}{body}", id_first=False)


def channel_item(chan: Channel, now: float) -> str:
    seconds = int(now - chan.created)
    body = headers(
        ("Application", chan.application),
        ("ApplicationData", chan.data),
        ("Duration", f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"),
        ("BridgeId", chan.bridge.uniqueid if chan.bridge else ""),
    )
    return item("CoreShowChannel", blocks.channel(chan) + body)


def bridge_item(bridge: Bridge) -> str:
    return item("BridgeListItem", blocks.bridge(bridge))


def _paths(codec: str, other: str) -> tuple[str, str]:
    if not other:
        return "", ""
    one, two = (f"({name}@{CODEC_RATES[name]})" for name in (codec, other))
    slin, slin_native = f"(slin@{CODEC_RATES[other]})", f"(slin48@{CODEC_RATES[codec]})"
    return f"{one}->{slin_native}->{slin}->{two}", f"{two}->{slin}->{slin_native}->{one}"
