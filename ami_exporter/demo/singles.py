"""Actions that answer with one packet (FAXStats: with one event after it)."""

from __future__ import annotations

import time

from .console import output
from .listing import Dialect
from .scene import VERSIONS, Scene
from .wire import ID_MARK, AmiRequest, headers, item, response


def ping(scene: Scene, _request: AmiRequest) -> bytes:
    return response("Success", body=headers(("Ping", "Pong"), ("Timestamp", f"{scene.clock():.6f}"))).encode()


def core_settings(scene: Scene, _request: AmiRequest) -> bytes:
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
    """CoreStatus: local times without a time zone, and channels counted as calls, as in Asterisk."""
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
    """Command: the console's output, as Output lines or, in the old dialect, as raw text up to --END COMMAND--."""
    asked = request.get("Command")
    if not asked:
        return response("Error", "No command provided").encode()
    known, lines = output(scene, asked)
    if scene.dialect is Dialect.OLD:
        text = "\n".join(lines)
        return f"Response: Follows\r\nPrivilege: Command\r\n{ID_MARK}{text}\n--END COMMAND--\r\n\r\n".encode()
    text = "".join(f"Output: {line}\r\n" for line in lines)
    return response("Success" if known else "Error", "Command output follows", text).encode()
