"""Links to the scripted server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Link
from ami_exporter.ami.login import Credentials
from tests.support.ami_server import SECONDS, AmiServer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ami_exporter.ami.message import Message

USER = Credentials("exporter", "hunter2")


def soon(seconds: float = SECONDS) -> float:
    return time.monotonic() + seconds


def link_to(server: AmiServer, *, user: Credentials = USER, classes: Iterable[str] = ()) -> Link:
    return Link("127.0.0.1", server.port, user, classes=classes, token=lambda: "token")


def ignore(_action: Action, _message: Message) -> None:
    """Fold nothing."""
