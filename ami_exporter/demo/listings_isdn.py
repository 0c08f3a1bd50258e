"""List actions of ISDN hardware: DAHDIShowChannels, DAHDIShowStatus, PRIShowSpans (channels/chan_dahdi.c)."""

from __future__ import annotations

from .listing import Listing
from .scene import Scene
from .wire import AmiRequest, headers, item

VOICE_CHANNELS = 30  # of an E1
D_CHANNEL = 16
# Alarm of a channel → alarm of its span (build_alarm_info).
SPAN_ALARMS = {"": "OK", "Red Alarm": "RED", "Yellow Alarm": "YEL", "Blue Alarm": "BLU"}


def dahdi_channels(scene: Scene, _request: AmiRequest) -> Listing:
    """DAHDIShowChannels: the B-channels of every span."""
    items = []
    for span in scene.world.spans:
        first = (span.number - 1) * (VOICE_CHANNELS + 1) + 1
        for number in range(first, first + VOICE_CHANNELS + 1):
            if number == first + D_CHANNEL - 1:
                continue
            body = headers(
                ("DAHDIChannel", number),
                ("Signalling", "ISDN PRI"),
                ("SignallingCode", 128),
                ("Context", "from-trunk"),
                ("DND", "Disabled"),
                ("Alarm", span.alarm or "No Alarm"),
                ("Description", ""),
            )
            items.append(item("DAHDIShowChannels", body, id_first=False))
    tail = f"Items: {len(items)}\r\n"
    return Listing("DAHDI channel status will follow", "DAHDIShowChannelsComplete", items, tail)


def dahdi_status(scene: Scene, _request: AmiRequest) -> Listing:
    items = [
        item(
            "DAHDIShowStatus",
            headers(
                ("Span", span.number),
                ("Description", f"T2XXP (PCI) Card 0 Span {span.number}"),
                ("Alarms", SPAN_ALARMS[span.alarm]),
                ("IRQ", 0),
                ("bpviol", 0),
                ("CRC", 0),
                ("Framing", "CCS"),
                ("Coding", "HDB3"),
                ("Options", "CRC4"),
                ("LBO", "0 db (CSU)/0-133 feet (DSX-1)"),
            ),
            id_first=False,
        )
        for span in scene.world.spans
    ]
    tail = f"Items: {len(items)}\r\n"
    return Listing("DAHDI span statuses will follow", "DAHDIShowStatusComplete", items, tail)


def pri_spans(scene: Scene, _request: AmiRequest) -> Listing:
    """PRIShowSpans: one D-channel per span."""
    items = [
        item(
            "PRIShowSpans",
            headers(
                ("Span", span.number),
                ("DChannel", (span.number - 1) * (VOICE_CHANNELS + 1) + D_CHANNEL),
                ("Order", "Primary"),
                ("Active", "Yes"),
                ("Alarm", "Yes" if span.alarm else "No"),
                ("Up", "No" if span.alarm else "Yes"),
            ),
            id_first=False,
        )
        for span in scene.world.spans
    ]
    return Listing("Span status will follow", "PRIShowSpansComplete", items, f"Items: {len(items)}\r\n")
