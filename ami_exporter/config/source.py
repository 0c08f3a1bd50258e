"""Where the configuration comes from: a file, the flags, or both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ami_exporter.config.amiflags import AmiFlags, settings_from_ami_flags
from ami_exporter.config.faults import ConfigErrors, Fault

if TYPE_CHECKING:
    from ami_exporter.config.catalogue import Catalogue
    from ami_exporter.config.target_settings import Settings

FILE_VARIABLE: Final = "AMI_EXPORTER_CONFIG_FILE"


def load_settings(config_file: str | None, flags: AmiFlags, catalogue: Catalogue) -> Settings:
    """Read the configuration from where the command line says: a file, the flags, or both (a file without targets).

    Raises ConfigErrors.
    """
    if config_file is None:
        if not flags:
            message = "found neither --config.file nor --ami.address, expected one; or try `ami-exporter demo`"
            raise ConfigErrors([Fault("command line", 0, 0, message)])
        return settings_from_ami_flags(flags, catalogue)
    from ami_exporter.config.load import load_file  # noqa: PLC0415 - pydantic costs 60 ms, for a file only

    try:
        return load_file(config_file, catalogue, flags or None)
    except ConfigErrors as errors:
        raise ConfigErrors(_with_source(fault, config_file, catalogue) for fault in errors.faults) from None


def _with_source(fault: Fault, config_file: str, catalogue: Catalogue) -> Fault:
    """Of a file that cannot be read, say who named it: a variable is easily forgotten."""
    named = catalogue.environ.get(FILE_VARIABLE) == config_file
    if not (named and fault.file == config_file and fault.message.startswith("cannot be read")):
        return fault
    return replace(fault, message=f"{fault.message}; {FILE_VARIABLE} names it")
