"""One family of Asterisk's database, by DBGetTree (main/db.c). Only for `custom:`.

Keys contain extensions, values contain numbers and secrets: neither becomes a label or value without a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Read


def tree(family: str) -> Action:
    """Make a DBGetTree of one family. Raises ForbiddenAction for anything but a plain name."""
    return Action("DBGetTree", (("Family", family),))


@cache
def entries(family: str) -> Read:
    """Return a reader that splits `Key: /DND/1001` into family and key; equal families give the same reader.

    Asterisk looks families up by an SQL LIKE, which ignores case and treats `_` as any character: items of other
    families are dropped.
    """
    prefix = f"/{family}/"

    def read(message: Message) -> Sequence[Message]:
        key = message.get("key", "")
        if not key.startswith(prefix):
            return ()
        found = {"family": family, "key": key.removeprefix(prefix), "val": message.get("val", "")}
        return [Message.of(found)]

    return read
