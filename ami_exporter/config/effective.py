"""The configuration as it is in force, for `/config`: every default filled in, every secret masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import yaml

from ami_exporter.config.model import Settings
from ami_exporter.config.secret import Secret


def effective_yaml(settings: Settings) -> str:
    """Settings as YAML text. Times are in seconds; what is not set is left out."""
    return yaml.safe_dump(_plain(settings), sort_keys=False, allow_unicode=True)


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, re.Pattern):
        return value.pattern
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(one) for name, one in named.items() if one is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
