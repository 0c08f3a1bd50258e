"""Masks telephone numbers in settings, so that the page with the configuration is not a list of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

T = TypeVar("T")

HIDDEN: Final = "<number>"
_NUMBER = re.compile(r"\+?[0-9](?:[ ()/-]*[0-9]){5,}")
"""Six digits and more, as a canary's destination has at least; fewer are an extension, a prefix, a service."""


def hidden(text: str) -> str:
    """Mask each number in a text: PJSIP/<number>@telco."""
    return _NUMBER.sub(HIDDEN, text)


def hidden_keys(entries: Mapping[str, T], *, whole: bool = False) -> dict[str, T]:
    """Mask the numbers in the keys of entries, and count them, so that two do not become one.

    whole: every key is a number, however short.
    """
    shown: dict[str, T] = {}
    for key, value in entries.items():
        text = HIDDEN if whole else hidden(key)
        count = len(shown) + 1
        shown[text.replace(HIDDEN, f"<number {count}>") if HIDDEN in text else text] = value
    return shown
