"""The doctor's look at the users beside the one that polls: each should have one class of write=, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.rights import RISKS, held_classes
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.connector import open_further
from ami_exporter.pbx.login_backoff import LoginBackoff, LoginPaused
from ami_exporter.pbx.own_logins import OwnLogins


def other_users(target: TargetSettings) -> dict[str, tuple[AmiUser, str]]:
    """Name of a user → the user, and the one class of write= it is for."""
    users = {one.user.username: (one.user, "originate") for one in target.canaries.values()}
    if target.command_user is not None:
        users[target.command_user.username] = (target.command_user, "command")
    return users


def examine_others(target: TargetSettings, gate: LoginBackoff) -> Iterator[str]:
    """Log in as each of them, unless the gate holds it back; say what is to be mended."""
    for name, (user, right) in other_users(target).items():
        deadline = time.monotonic() + target.timeout
        try:
            with closing(open_further(target, user, deadline, gate=gate, logins=OwnLogins(time.monotonic))) as link:
                held = held_classes(link.commands)
        except (LoginPaused, AmiError) as error:
            yield f"user {name}: {error}"
            continue
        if right not in held:
            yield f"user {name} needs write={right}"
        for extra in RISKS:
            if extra in held - {right}:
                yield f"user {name} has write={extra}, which it does not need: whoever has its secret {RISKS[extra]}"
