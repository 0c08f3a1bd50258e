"""An AMI user beside the one that polls, as a pydantic model."""

from __future__ import annotations

from pydantic import Field

from ami_exporter.config.scalar_types import SecretText, Sendable, Strict, Text


class AmiUserDoc(Strict):
    """Another AMI user, for one purpose alone."""

    username: Sendable = Field(description="the AMI user, as in manager.conf; not the one that polls")
    secret: SecretText | None = Field(default=None, description="its secret; better: secret_file or secret_env")
    secret_file: Text | None = Field(default=None, description="file that holds nothing but the secret")
    secret_env: Text | None = Field(default=None, description="environment variable that holds the secret")
