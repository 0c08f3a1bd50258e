"""Actions that answer with one packet (FAXStats: with one event after it)."""

from __future__ import annotations

import time

from .listing import Dialect
from .scene import VERSIONS, Scene
from .wire import ID_MARK, AmiRequest, headers, item, response

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
TASKPROCESSORS = "core show taskprocessors"
# Asterisk's marks of a task processor (include/asterisk/taskprocessor.h).
LOW_WATER, HIGH_WATER = 450, 500


def ping(scene: Scene, _request: AmiRequest) -> bytes:
    """Ping."""
    return response("Success", body=headers(("Ping", "Pong"), ("Timestamp", f"{scene.clock():.6f}"))).encode()


def core_settings(scene: Scene, _request: AmiRequest) -> bytes:
    """CoreSettings."""
    ami, asterisk = VERSIONS[scene.dialect]
    body = headers(
        ("AMIversion", ami),
        ("AsteriskVersion", asterisk),
        ("SystemName", scene.system_name),
        ("CoreMaxCalls", 200),
        ("CoreMaxLoadAvg", "0.000000"),
        ("CoreRunUser", "asterisk"),
        ("CoreRunGroup", "asterisk"),
        ("CoreMaxFilehandles", 65536),
        ("CoreRealTimeEnabled", "No"),
        ("CoreCDRenabled", "Yes"),
        ("CoreHTTPenabled", "No"),
    )
    if scene.dialect is Dialect.MODERN:
        body += "SoundsSearchCustomDir: No\r\n"
    return response("Success", body=body).encode()


def core_status(scene: Scene, _request: AmiRequest) -> bytes:
    """CoreStatus: local times without a zone, and the channels counted as calls, as the real one does."""
    booted, reloaded = time.localtime(scene.booted), time.localtime(scene.reloaded)
    body = headers(
        ("CoreStartupDate", time.strftime("%Y-%m-%d", booted)),
        ("CoreStartupTime", time.strftime("%H:%M:%S", booted)),
        ("CoreReloadDate", time.strftime("%Y-%m-%d", reloaded)),
        ("CoreReloadTime", time.strftime("%H:%M:%S", reloaded)),
        ("CoreCurrentCalls", len(scene.world.channels) + scene.load.channels),
    )
    if scene.dialect is Dialect.MODERN:
        body += f"CoreProcessedCalls: {scene.world.calls_processed}\r\n"
    return response("Success", body=body).encode()


def fax_stats(scene: Scene, _request: AmiRequest) -> bytes:
    """FAXStats: a plain response, then exactly one event and no completion."""
    fax = scene.world.fax
    body = headers(
        ("CurrentSessions", fax.current),
        ("ReservedSessions", 0),
        ("TransmitAttempts", fax.sent),
        ("ReceiveAttempts", fax.received),
        ("CompletedFAXes", fax.completed),
        ("FailedFAXes", fax.failed),
    )
    return (response("Success", "FAXStats event will follow") + item("FAXStats", body)).encode()


def command(scene: Scene, request: AmiRequest) -> bytes:
    """Command: knows one CLI command; Output lines today, raw text up to --END COMMAND-- in the old dialect."""
    asked = request.get("Command")
    if not asked:
        return response("Error", "No command provided").encode()
    known = asked == TASKPROCESSORS
    unknown = [f"No such command '{asked}' (type 'core show help {asked}' for other possible commands)"]
    lines = _taskprocessors(scene) if known else unknown
    if scene.dialect is Dialect.OLD:
        text = "\n".join(lines)
        return f"Response: Follows\r\nPrivilege: Command\r\n{ID_MARK}{text}\n--END COMMAND--\r\n\r\n".encode()
    output = "".join(f"Output: {line}\r\n" for line in lines)
    return response("Success" if known else "Error", "Command output follows", output).encode()


def _taskprocessors(scene: Scene) -> list[str]:
    seconds = scene.time.now + scene.started - scene.booted
    rows = []
    for place, name in enumerate(_TASKPROCESSORS):
        processed = int(seconds * (place * 7 % 5 + 0.3))
        # A queue that is a few tasks deep now and then, and has been deeper.
        depth = (processed // 5) % 4 if place % 5 == 3 else 0  # noqa: PLR2004 - one in five is busy
        deepest = 3 + place * 11 % 40
        rows.append(_ROW.format(name, processed, depth, deepest, LOW_WATER, HIGH_WATER, 60 + place, 900 + place))
    total = f"{len(rows)} taskprocessors"
    return ["", _ROW.format(*_TITLES), *rows, "", total, ""]
