"""The console output of the simulated PBX: the commands from which custom metrics are made.

Formats as in the sources of Asterisk 22 (`odbc show`, `module show`, …), of Digium's codec and of chan_dongle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from .scene import Scene

Print: TypeAlias = Callable[[Scene], Iterator[str]]

_TASKPROCESSORS = (
    *("app_voicemail", "iax2_transmit", "pbx-core", "pjsip/distributor", "pjsip/options/manager"),
    *("pjsip/default", "pjsip/outreg/telco-a", "stasis/m:manager:core", "stasis/p:channel:all", "CCSS_core"),
    *(
        "stasis/m:cache_pattern:1/channel:all",
        "stasis/m:bridge:all",
        "stasis/p:endpoint:all",
        "ast_msg_queue",
    ),
)
_ROW = "{:<70} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}"
_TITLES = (
    *("Processor", "Processed", "In Queue", "Max Depth", "Low water", "High water", "Low time(us)"),
    "High time(us)",
)
# Asterisk's marks of a task processor (include/asterisk/taskprocessor.h).
LOW_WATER, HIGH_WATER = 450, 500
_POOLS = (("asterisk", 5), ("cdr", 20))
_MODULES = (
    ("cdr_adaptive_odbc.so", "Adaptive ODBC CDR backend", 0),
    ("func_odbc.so", "ODBC lookups", 0),
    ("res_config_odbc.so", "Realtime ODBC configuration", 0),
    ("res_odbc.so", "ODBC resource", 5),
)


def _seconds(scene: Scene) -> float:
    return scene.time.now + scene.started - scene.booted


def _taskprocessors(scene: Scene) -> Iterator[str]:
    yield ""
    yield _ROW.format(*_TITLES)
    for place, name in enumerate(_TASKPROCESSORS):
        processed = int(_seconds(scene) * (place * 7 % 5 + 0.3))
        # A queue that sometimes holds a few tasks, and has held more.
        depth = (processed // 5) % 4 if place % 5 == 3 else 0  # noqa: PLR2004 - one in five is busy
        deepest = 3 + place * 11 % 40
        yield _ROW.format(name, processed, depth, deepest, LOW_WATER, HIGH_WATER, 60 + place, 900 + place)
    yield from ("", f"{len(_TASKPROCESSORS)} taskprocessors", "")


def _g729(scene: Scene) -> Iterator[str]:
    used = min(10, len(scene.world.channels) // 6)
    yield f"{used}/{used} encoders/decoders of 10 licensed channels are currently in use"
    yield from ("", "Licenses Found:")
    yield " File: G729-DEMO.lic -- Key: G729-DEMO -- Host-ID: 00:00:00 -- Channels: 10 (Expires: 2039-01-01) (OK)"


def _odbc(scene: Scene) -> Iterator[str]:
    yield from ("", "ODBC DSN Settings", "-----------------", "")
    for place, (name, limit) in enumerate(_POOLS):
        used = 1 + (len(scene.world.channels) + place) % limit
        yield f"  Name:   {name}"
        yield f"  DSN:    {name}-connector"
        yield f"    Number of active connections: {used} (out of {limit})"
        yield from ("    Cache Type: stack (last release, first re-use)", "    Logging: Disabled", "")


def _dahdi(scene: Scene) -> Iterator[str]:
    form = "{:<40.40} {:<7.7} {:<6} {:<6} {:<6} {:<3.3} {:<4.4} {:<8.8} {}"
    yield form.format("Description", "Alarms", "IRQ", "bpviol", "CRC", "Fra", "Codi", "Options", "LBO")
    for span in scene.world.spans:
        alarm = "RED" if span.alarm else "OK"
        name = f"Wildcard TE820 Card 0 Span {span.number}"
        yield form.format(name, alarm, 0, 0, 0, "CCS", "HDB3", "", "0 db (CSU)/0-133 feet (DSX-1)")


def _cdr(scene: Scene) -> Iterator[str]:
    waiting = int(_seconds(scene) / 7) % 100
    yield from ("", "Call Detail Record (CDR) settings", "----------------------------------")
    yield from ("  Logging:                    Enabled", "  Mode:                       Batch", "")
    yield from ("* Batch Mode Settings", "  -------------------")
    yield f"  Current batch size:         {waiting} record{'s' * (waiting != 1)}"
    yield from ("  Maximum batch size:         100 records", "  Maximum batch time:         300 seconds", "")
    yield from ("* Registered Backends", "  -------------------", "    Adaptive ODBC", "")


def _modules(_scene: Scene) -> Iterator[str]:
    form = "{:<30} {:<40.40} {:<10} {:<11} {:>13}"
    yield form.format("Module", "Description", "Use Count", "Status", "Support Level")
    for name, what, uses in _MODULES:
        yield form.format(name, what, uses, "Running", "core")
    yield f"{len(_MODULES)} modules loaded"


def _conferences(scene: Scene) -> Iterator[str]:
    yield "Conference Bridge Name           Users  Marked Locked Muted"
    yield "================================ ====== ====== ====== ====="
    for room in scene.world.conferences.values():
        words = ("Yes" if room.locked else "No", "Yes" if room.muted else "No")
        yield f"{room.name:<32} {len(room.bridge.channels):>6} {room.marked:>6} {words[0]:<6} {words[1]}"


def _rtp(_scene: Scene) -> Iterator[str]:
    yield from ("", "", "General Settings:", "----------------")
    for name, value in (
        *(("Port start", "10000"), ("Port end", "20000"), ("Checksums", "Yes"), ("DTMF Timeout", "1200")),
        *(("Strict RTP", "Yes"), ("Probation", "4 frames"), ("Replay Protect", "Yes"), ("ICE support", "Yes")),
    ):
        yield f"  {name + ':':<16} {value}"


def _media(scene: Scene) -> Iterator[str]:
    """As res_pjsip/pjsip_cli.c and channels/pjsip/cli_commands.c print it: the channel's name is cut at 18."""
    channels = [chan for chan in scene.world.channels.values() if chan.endpoint.tech == "PJSIP" and chan.bridge]
    if not channels:
        yield from ("No objects found.", "")
        return
    yield ""
    yield " " * 45 + "...........Receive......... .........Transmit.........."
    yield " BridgeId ChannelId ........ UpTime.. Codec.   Count    Lost Pct  Jitter   Count    Lost Pct  Jitter RTT...."
    yield " " + "=" * 107
    yield ""
    for chan in channels:
        age = int(scene.time.now - chan.created)
        media, packets = chan.endpoint.media, age * 50
        bridge = chan.bridge.uniqueid[:8] if chan.bridge else ""
        up = f"{age // 3600:02}:{age // 60 % 60:02}:{age % 60:02}"
        lost = int(packets * media.loss)
        yield (
            f" {bridge:<8} {chan.name.partition('/')[2]:<18.18} {up} {chan.endpoint.codec:<6} "
            f"{packets:>7} {lost:>7} {int(media.loss * 100):>4} {media.jitter:>7.3f} "
            f"{packets:>7} {0:>7} {0:>4} {0.001:>7.3f} {media.rtt:>7.3f}"
        )
    yield from ("", f"Objects found: {len(channels)}", "")


def _dongles(scene: Scene) -> Iterator[str]:
    widths = (12, 5, 10, 4, 4, 7, 14, 10, 17, 16, 16, 14)
    form = " ".join(f"{{:<{width}.{width}}}" for width in widths)
    yield form.format(
        *("ID", "Group", "State", "RSSI", "Mode", "Submode", "Provider Name", "Model", "Firmware", "IMEI", "IMSI"),
        "Number",
    )
    signal = 12 + int(_seconds(scene) / 60) % 12
    yield form.format(
        *("dongle0", "0", "Free", str(signal), "3", "4", "Demo Mobile", "E1550", "11.608.14.15.311", "0", "0"),
        "Unknown",
    )


#: Command → the function that prints its output.
COMMANDS: Mapping[str, Print] = {
    "core show taskprocessors": _taskprocessors,
    "g729 show licenses": _g729,
    "odbc show": _odbc,
    "dahdi show status": _dahdi,
    "cdr show status": _cdr,
    "module show like odbc": _modules,
    "confbridge list": _conferences,
    "rtp show settings": _rtp,
    "pjsip show channelstats": _media,
    "dongle show devices": _dongles,
}


def output(scene: Scene, command: str) -> tuple[bool, list[str]]:
    """Whether the console knows a command, and the lines it prints. Case and extra blanks do not matter."""
    words = " ".join(command.lower().split())
    known = COMMANDS.get(words)
    if known is None:
        return False, [
            f"No such command '{command}' (type 'core show help {command}' for other possible commands)",
        ]
    return True, list(known(scene))
