"""How a mapping or a list is written, for whoever wrote something else in its place. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

    from ami_exporter.config.faults import Path as Steps

ANY: Final = "*"
TARGET: Final = "{address: pbx1.example.net, username: exporter, secret_file: FILE}"

FORMS: Final[dict[Steps, str]] = {
    ("defaults",): "`defaults: {username: exporter}`",
    ("targets",): f"a name for each: `targets: {{pbx1: {TARGET}}}`",
    ("targets", ANY): f"`pbx1: {TARGET}`",
    ("targets", ANY, "collectors"): "`collectors: {queues: {enabled: false}}`",
    ("targets", ANY, "collectors", ANY): "`{enabled: true}`, or false, or auto",
    ("targets", ANY, "trunks", ANY): '`{name: telco, match: "PJSIP/telco"}`',
    ("targets", ANY, "labels"): "`labels: {site: berlin}`",
    ("targets", ANY, "names"): '`names: {queue: {"600": Support}}`',
    ("targets", ANY, "names", ANY): '`{"600": Support}`',
    ("targets", ANY, "limits"): "`limits: {series_per_metric: 1000}`",
    ("targets", ANY, "command_user"): "`command_user: {username: ami_cli, secret_file: FILE}`",
    ("targets", ANY, "canaries"): "a name for each: `canaries: {telco: {channel: …, user: …}}`",
    ("targets", ANY, "canaries", ANY): '`{channel: "PJSIP/+493012345@telco", user: {username: …, secret_file: FILE}}`',
    ("targets", ANY, "canaries", ANY, "user"): "`user: {username: ami_canary, secret_file: FILE}`",
    ("custom",): "a dash before each entry: `- action: …` or `- event: …`",
    ("custom", ANY): "with action, event or command, and metrics",
    ("custom", ANY, "metrics"): "a dash before each metric: `- {name: asterisk_custom_x, type: gauge, help: …}`",
    ("custom", ANY, "metrics", ANY): "`{name: asterisk_custom_x, type: gauge, help: …}`",
    ("custom", ANY, "metrics", ANY, "labels"): "`labels: {queue: Queue}`",
    ("custom", ANY, "where"): "`where: {Status: Registered}`",
    ("custom", ANY, "read"): "`read: {match: '…'}`, or fields, or table",
}
"""Path of a setting → how it is written."""


def form_of(steps: Steps) -> str:
    """End the message "expected a mapping" or "a list": what it holds, where a form is known, else nothing."""
    if steps[:1] == ("defaults",) and steps[1:]:
        steps = ("targets", ANY, *steps[1:])
    form = next((form for pattern, form in FORMS.items() if _matches(pattern, steps)), "")
    return f"{', such as ' if form.startswith('`') else ', '}{form}" if form else ""


KEY_VALUE: Final = "; a setting is written `KEY: VALUE`"


def unlike(value: object) -> str:
    """End the message "found text, expected a mapping" for settings written as in manager.conf."""
    return KEY_VALUE if isinstance(value, str) and re.search(r"\w\s*=", value) else ""


def placed(key: str, steps: Steps, inside: object, of_target: Container[str]) -> str:
    """Say where a key belongs that the document does not have at its top, or a target not at all; nothing for others.

    inside: the key's value; of_target: the settings of a target.
    """
    if key == "port" and steps:
        return "; the port belongs to the address: `address: pbx1.example.net:5038`"
    if steps:
        return ""
    if key in of_target:
        return f"; a target's settings stand below its name: `targets: {{pbx1: {TARGET}}}`"
    return "; a target stands below `targets:`, indented" if isinstance(inside, dict) else ""


def _matches(pattern: Steps, steps: Steps) -> bool:
    return len(pattern) == len(steps) and all(want in (ANY, have) for want, have in zip(pattern, steps, strict=True))


def moved_to(key: str, collectors: object) -> str:
    """Say where a collector's name belongs that stands among a target's settings; nothing for other keys."""
    known = isinstance(collectors, dict) and key in collectors
    return f"; a collector is switched by `collectors: {{{key}: {{enabled: false}}}}`" if known else ""
