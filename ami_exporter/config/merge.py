"""Merges `defaults:` into a target; the target's own settings win."""

from __future__ import annotations

from typing import Final

from ami_exporter.config.ami_user import SECRET_KEYS

DEEP: Final = ("labels", "collectors", "names", "limits")
"""Settings that are merged key by key; others are replaced as a whole."""


def merge(defaults: object, target: object) -> object:
    """Merge two plain values; a target's own secret, however given, replaces the default's."""
    if not isinstance(defaults, dict) or not isinstance(target, dict):
        return target
    own_secret = any(key in target for key in SECRET_KEYS)
    merged = {key: value for key, value in defaults.items() if not (own_secret and key in SECRET_KEYS)}
    for key, value in target.items():
        merged[key] = _deep(merged[key], value) if key in DEEP and key in merged else value
    return merged


def _deep(below: object, above: object) -> object:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _deep(below[key], value) if key in below else value for key, value in above.items()}
