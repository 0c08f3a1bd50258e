"""The doctor's look at the users beside the one that polls: each should have one class of write=, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ami_exporter.ami.errors import AmiError
from ami_exporter.commands.doctor.rights import RISKS, held_classes
from ami_exporter.config.target_settings import AmiUser, TargetSettings
from ami_exporter.pbx.connector import OwnSessions, user_link


def other_users(target: TargetSettings) -> dict[str, tuple[AmiUser, str]]:
    """Name of a user → the user, and the one class of write= it is for."""
    users = {one.user.username: (one.user, "originate") for one in target.canaries.values()}
    if target.command_user is not None:
        users[target.command_user.username] = (target.command_user, "command")
    return users


def examine_others(target: TargetSettings) -> Iterator[str]:
    """Log in as each of them; say what is to be mended."""
    for name, (user, right) in other_users(target).items():
        link = user_link(target, user, OwnSessions())
        try:
            link.open(time.monotonic() + target.timeout)
            held = held_classes(link.commands)
        except AmiError as error:
            yield f"user {name}: {error}"
            continue
        finally:
            link.close()
        if right not in held:
            yield f"user {name} needs write={right}"
        for extra in RISKS:
            if extra in held - {right}:
                yield f"user {name} has write={extra}, which it does not need: whoever has its secret {RISKS[extra]}"
