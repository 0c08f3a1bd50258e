"""AMI users other than the one that polls, and the keys that hold a secret."""

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
"""Exactly one of them must be written. `external.py` reads the secret."""


@dataclass(frozen=True, slots=True)
class AmiUser(Model):
    """Another AMI user, for a single purpose."""

    username: Annotated[str, SENDABLE, "the AMI user, as in manager.conf; not the one that polls"]
    secret: Secret

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        return SECRET_KEYS

    @classmethod
    def exclusive(cls) -> tuple[str, ...]:
        return tuple(SECRET_KEYS)

    @classmethod
    def from_file(cls, given: Mapping[str, Any], at: Position) -> AmiUser:
        return cls(given["username"], at.outside.secrets.get(at.steps, Secret("")))
