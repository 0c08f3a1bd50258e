"""Asterisk's own database: one family of it, by DBGetTree (main/db.c). For `custom:` alone.

Its keys hold extensions, its values numbers and secrets: neither is a label or a value unless a map names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Read


def tree(family: str) -> Action:
    """DBGetTree of one family. Raises ForbiddenAction for what is not the plain name of one."""
    return Action("DBGetTree", (("Family", family),))


@cache
def entries(family: str) -> Read:
    """Makes of `Key: /DND/1001` a family and the key within it; equal families give the same reader.

    Asterisk looks families up by an SQL LIKE, which knows no case and takes `_` for any character: others that come
    are left out.
    """
    prefix = f"/{family}/"

    def read(message: Message) -> Sequence[Message]:
        key = message.get("key", "")
        if not key.startswith(prefix):
            return ()
        found = {"family": family, "key": key.removeprefix(prefix), "val": message.get("val", "")}
        return [Message.of(found)]

    return read
