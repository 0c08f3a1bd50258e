"""Shutdowns and reloads that the PBX announces."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ami_exporter.collectors.declarations import Collector, Rule, counter
from ami_exporter.collectors.fields import OTHER, labels, word
from ami_exporter.collectors.sent import from_12

KIND: Final = MappingProxyType({"cleanly": "clean", "uncleanly": "unclean"})
RESULT: Final = MappingProxyType(
    {
        "0": "success",
        "1": "queued",
        "2": "not_found",
        "3": "failed",
        "4": "in_progress",
        "5": "uninitialized",
        "6": "not_implemented",
    }
)
"""Reload: Status → word (enum ast_module_reload_result of Asterisk's include/asterisk/module.h)."""

SHUTDOWNS = counter(
    "asterisk_shutdowns_total",
    "Announced shutdowns and restarts; unclean: channels were still up. A crash is not announced "
    "(AMI Shutdown: Shutdown)",
    "kind",
    closed=MappingProxyType({"kind": (*KIND.values(), OTHER)}),
)
RELOADS = counter(
    "asterisk_reloads_total",
    "Reloads of one module or of all, by result; before Asterisk 12 most are not announced (AMI Reload: Status)",
    "result",
    closed=MappingProxyType({"result": (*RESULT.values(), OTHER)}),
    sent=from_12,
)

COLLECTOR = Collector(
    name="lifecycle",
    title="Shutdowns and reloads",
    metrics=(SHUTDOWNS, RELOADS),
    rules=(
        Rule(SHUTDOWNS, None, ("Shutdown",), labels(word("Shutdown", KIND))),
        Rule(RELOADS, None, ("Reload",), labels(word("Status", RESULT))),
    ),
)
