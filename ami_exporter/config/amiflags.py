"""One PBX without a file: settings from the flags --ami.*."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ami_exporter.config import scalars
from ami_exporter.config.external import read_external
from ami_exporter.config.faults import ConfigErrors, Fault
from ami_exporter.config.target_settings import PORT, TLS_PORT, AmiTlsSettings, Settings, TargetSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ami_exporter.config.catalogue import Catalogue
    from ami_exporter.config.secret import Secret

DEFAULT_TARGET: Final = "default"
"""The name of the target that the flags make."""
SECRET_VARIABLE: Final = "AMI_EXPORTER_AMI_SECRET"  # noqa: S105 - the name of a variable, not a secret
FLAG_OF: Final = {
    "address": "--ami.address",
    "username": "--ami.username",
    "secret": SECRET_VARIABLE,
    "secret_file": "--ami.secret-file",
    "tls": "--ami.tls-ca-file",
}
"""Setting of a target → the flag or variable that sets it."""
NEEDED: Final = {
    "--ami.address": {"address"},
    "--ami.username": {"username"},
    f"--ami.secret-file or {SECRET_VARIABLE}": {"secret", "secret_file"},
}
ALSO_NEEDED: Final = {"--ami.username": "AMI_EXPORTER_AMI_USERNAME"}
"""Flag → its variable, to name if the address came from a variable. For the secret both are named anyway."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AmiFlags:
    """The flags --ami.* (or their variables); `secret` comes from the environment alone.

    sources: setting of a target → the flag or variable that gave it.
    """

    address: str | None = None
    username: str | None = None
    secret: Secret | None = None
    secret_file: str | None = None
    tls: bool = False
    tls_ca_file: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        """Whether they make a target, which needs the address."""
        return self.address is not None

    def source(self, key: str) -> str:
        """Name the flag or variable that gave a setting of a target."""
        return self.sources.get(key) or FLAG_OF.get(key, "--ami.* flags")

    def plain(self) -> dict[str, object]:
        """Return them as a target of the configuration file. Contains the secret."""
        given: dict[str, object] = {"address": self.address, "username": self.username}
        given["secret"] = self.secret.reveal() if self.secret else None
        given["secret_file"] = str(Path(self.secret_file).absolute()) if self.secret_file else None
        if self.tls_ca_file:
            given["tls"] = {"ca_file": str(Path(self.tls_ca_file).absolute())}
        elif self.tls:
            given["tls"] = {}
        return {key: value for key, value in given.items() if value is not None}


def settings_from_ami_flags(flags: AmiFlags, catalogue: Catalogue) -> Settings:
    """Make the one target `default`. Raises ConfigErrors; each fault names its flag."""
    plain = flags.plain()
    external = read_external(plain, Path(), catalogue)
    faults = [Fault(flags.source(str(steps[0])), 0, 0, message) for steps, message in external.wrong if steps]
    faults += [_not_given(flag, flags) for flag, keys in NEEDED.items() if not plain.keys() & keys]

    def checked(key: str, check: Callable[[object], T]) -> T | None:
        try:
            return check(plain[key]) if key in plain else None
        except ValueError as error:
            faults.append(Fault(flags.source(key), 0, 0, str(error)))
            return None

    host, port = checked("address", scalars.address) or ("", None)
    username = checked("username", scalars.sendable) or ""
    checked("secret", scalars.secret)
    if faults:
        raise ConfigErrors(faults)
    tls = AmiTlsSettings(ca_file=flags.tls_ca_file) if flags.tls or flags.tls_ca_file else None
    target = TargetSettings(
        name=DEFAULT_TARGET,
        host=host,
        port=port or (TLS_PORT if tls else PORT),
        username=username,
        secret=external.secrets[()],
        md5=tls is None,
        tls=tls,
    )
    return Settings({DEFAULT_TARGET: target})


def _not_given(flag: str, flags: AmiFlags) -> Fault:
    beside = flags.source("address")
    where = flag if beside.startswith("--") else ALSO_NEEDED.get(flag, flag)
    return Fault(where, 0, 0, f"not given, expected it beside {beside}")
