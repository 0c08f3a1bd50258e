"""Where the configuration comes from: a file, the flags, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_exporter.config.amiflags import AmiFlags, settings_from_ami_flags
from ami_exporter.config.faults import ConfigErrors, Fault
from ami_exporter.config.load import load_file

if TYPE_CHECKING:
    from ami_exporter.config.catalogue import Catalogue
    from ami_exporter.config.target_settings import Settings


def load_settings(config_file: str | None, flags: AmiFlags, catalogue: Catalogue) -> Settings:
    """Read the configuration from where the command line says: a file, the flags, or both (a file without targets).

    Raises ConfigErrors.
    """
    if config_file is None:
        if not flags:
            message = "found neither --config.file nor --ami.address, expected one; or try `ami-exporter demo`"
            raise ConfigErrors([Fault("command line", 0, 0, message)])
        return settings_from_ami_flags(flags, catalogue)
    return load_file(config_file, catalogue, flags or None)
