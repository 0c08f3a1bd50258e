"""Faults as readable lines, with the flag or variable that names the file: a variable is easily forgotten. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ami_exporter.commands.options import Options
from ami_exporter.config.faults import Fault


def sources_of_files(options: Options) -> Mapping[str, str]:
    """File → the flag or variable that names it."""
    named = {"config.file": options.config_file, "web.config.file": options.web.config_file}
    return {file: options.sources[flag] for flag, file in named.items() if file is not None and flag in options.sources}


def worded(faults: Sequence[Fault], sources: Mapping[str, str]) -> Iterator[str]:
    """Yield one line per fault; then, for each file with faults, the flag or variable that names it."""
    for fault in faults:
        whole = fault.file in sources and not fault.line
        yield f"{fault}; {sources[fault.file]} names it" if whole else str(fault)
    for file in dict.fromkeys(fault.file for fault in faults if fault.line and fault.file in sources):
        yield f"{file}: named by {sources[file]}"
