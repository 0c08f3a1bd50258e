#!/usr/bin/env python3
"""Write the manual page ami-exporter(1), made from the table of commands and flags that --help is made from."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ami_exporter import __version__
from ami_exporter.commands.flags import COMMANDS, STATUSES, Command, Flag
from ami_exporter.config.amiflags import SECRET_VARIABLE


def page() -> str:
    """The page, in the man macros of roff."""
    flags = {flag.name: flag for command in COMMANDS.values() for flag in command.flags}
    lines = [
        f'.TH AMI\\-EXPORTER 1 "" "ami\\-exporter {__version__}"',
        ".nh",
        ".ad l",
        ".SH NAME",
        plain("ami-exporter") + " \\- Prometheus exporter for the Asterisk PBX, over its manager interface (AMI)",
        ".SH SYNOPSIS",
        f"{bold('ami-exporter')} [{italic('COMMAND')}] [{italic('flags')}]",
        ".SH DESCRIPTION",
        plain("ami-exporter COMMAND --help lists a command's flags. Without a command: serve."),
        ".SH COMMANDS",
        *(line for command in COMMANDS.values() for line in _command(command)),
        ".SH FLAGS",
        plain("Each flag has a variable of the environment; the flag wins."),
        *(line for flag in flags.values() for line in _flag(flag)),
        ".SH EXIT STATUS",
        *(line for status, meaning in STATUSES.items() for line in _item(bold(str(status)), meaning)),
        ".SH ENVIRONMENT",
        *_item(bold(SECRET_VARIABLE), "the secret of the AMI user, which has no flag, as that would show in ps(1)"),
        ".SH FILES",
        *_item(italic("/etc/ami-exporter/config.yml"), "the targets of the service"),
        *_item(italic("/etc/default/ami-exporter"), "further flags of the service"),
        ".SH SEE ALSO",
        plain("/usr/share/doc/ami-exporter/README.md") + ", \\fBasterisk\\fR(8)",
    ]
    return "\n".join(lines) + "\n"


def _command(command: Command) -> Iterator[str]:
    name = bold(command.name)
    if command.positional:
        positional = italic(command.positional)
        name += f" [{positional}]" if command.optional else f" {positional}"
    return _item(name, command.summary)


def _flag(flag: Flag) -> Iterator[str]:
    name = bold(f"--{flag.name}") + (f" {italic(flag.metavar)}" if flag.metavar else "")
    users = ", ".join(command.name for command in COMMANDS.values() if flag.name in {one.name for one in command.flags})
    return _item(name, f"{flag.help} (of {users}; {flag.variable})")


def _item(term: str, text: str) -> Iterator[str]:
    yield from (".TP", term, plain(text))


def bold(text: str) -> str:
    """What is typed as it stands."""
    return f"\\fB{plain(text)}\\fR"


def italic(text: str) -> str:
    """What stands for something."""
    return f"\\fI{plain(text)}\\fR"


def plain(text: str) -> str:
    """Text that roff prints as it is, minus signs for copying included, also at the beginning of a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
