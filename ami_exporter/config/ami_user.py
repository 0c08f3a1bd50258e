"""An AMI user beside the one that polls, and the keys that hold a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from ami_exporter.config.kinds import SECRET, SENDABLE, TEXT, Position
from ami_exporter.config.model import Key, Model
from ami_exporter.config.secret import Secret

SECRET_KEYS: Final = {
    "secret": Key(SECRET, "its secret; better: secret_file or secret_env", of=lambda user: str(user.secret)),
    "secret_file": Key(TEXT, "file that holds nothing but the secret"),
    "secret_env": Key(TEXT, "environment variable that holds the secret"),
}
"""Exactly one of them is written. `external.py` reads what it names."""


@dataclass(frozen=True, slots=True)
class AmiUser(Model):
    """Another AMI user, for one purpose alone."""

    username: Annotated[str, SENDABLE, "the AMI user, as in manager.conf; not the one that polls"]
    secret: Secret

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        """The keys of the secret."""
        return SECRET_KEYS

    @classmethod
    def sealed(cls) -> tuple[str, ...]:
        """One secret."""
        return tuple(SECRET_KEYS)

    @classmethod
    def from_file(cls, given: Mapping[str, Any], at: Position) -> AmiUser:
        """Take the secret that was read for this user."""
        return cls(given["username"], at.outside.secrets.get(at.steps, Secret("")))
