"""The parsers and the help texts, built from the table of flags."""

from __future__ import annotations

import argparse
import platform
import re
from typing import Final, NoReturn

from ami_exporter import __version__
from ami_exporter.commands.flags import COMMANDS, Command
from ami_exporter.config.amiflags import SECRET_VARIABLE
from ami_exporter.config.faults import either

WIDTH: Final = 80
_QUOTED: Final = re.compile(r" '.*'", re.DOTALL)
_OF_FLAG: Final = re.compile(
    r"argument --(?P<flag>\S+): (?P<fault>expected one argument|ignored explicit argument.*)", re.DOTALL
)
"""Argparse's words for a value that is missing, and for one that a switch does not take."""


def overview() -> str:
    """The help text of the whole program."""
    lines = [f"  {command.name:<12} {command.summary}" for command in COMMANDS.values()]
    return (
        "usage: ami-exporter [COMMAND] [flags]\n\nPrometheus exporter for the Asterisk PBX, over its manager "
        "interface (AMI).\n\ncommands:\n" + "\n".join(lines) + "\n\n`ami-exporter COMMAND --help` lists a command's "
        "flags. Without a command: serve.\n"
    )


class Parser(argparse.ArgumentParser):
    """On a fault, writes one line on stderr instead of the whole usage text."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2. A value that argparse quotes is left out: it may be a secret."""
        self.exit(2, f"{self.prog}: {_QUOTED.sub('', _plain(message))}\nTry `{self.prog} --help`.\n")


def _plain(message: str) -> str:
    """Argparse's message in our words: what was found, what was expected."""
    matched = _OF_FLAG.fullmatch(message)
    if matched is None:
        return message
    flag = matched["flag"]
    if matched["fault"].startswith("ignored"):
        return f"--{flag}: found a value, expected the flag alone, or --no-{flag}"
    (metavar, *_) = (one.metavar for command in COMMANDS.values() for one in command.flags if one.name == flag)
    return f"--{flag}: found no value behind it, expected {metavar}"


def build_parser(command: Command) -> argparse.ArgumentParser:
    """Make the parser of one command; values stay text, options.py interprets them."""
    tail = f" [{command.positional}]" if command.optional else f" {command.positional}"
    parser = Parser(
        prog=f"ami-exporter {command.name}",
        usage=f"ami-exporter {command.name}{tail if command.positional else ''} [flags]",
        description=command.summary[0].upper() + command.summary[1:] + ".",
        epilog=_epilog(command),
        allow_abbrev=False,
        add_help=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=34, width=WIDTH),
    )
    if command.positional:
        parser.add_argument("positional", metavar=command.positional, nargs="?", help=argparse.SUPPRESS)
    group = parser.add_argument_group("flags")
    for flag in command.flags:
        if flag.parse is None:
            for name, const, text in (("--", "true", flag.help), ("--no-", "false", argparse.SUPPRESS)):
                group.add_argument(name + flag.name, dest=flag.name, action="store_const", const=const, help=text)
        else:
            action = "append" if flag.repeat else "store"
            group.add_argument(f"--{flag.name}", dest=flag.name, metavar=flag.metavar, action=action, help=flag.help)
    group.add_argument("-h", "--help", action="help", help="show this and exit")
    version = f"ami-exporter {__version__} (Python {platform.python_version()})"
    group.add_argument("--version", action="version", version=version, help="show the version and exit")
    return parser


def _epilog(command: Command) -> str | None:
    if not command.flags:
        return f"{command.positional}: {either(command.choices)}" if command.choices else None
    first = min(command.flags, key=lambda flag: len(flag.name))
    text = f"Each flag has a variable, as --{first.name} has {first.variable}."
    if any(flag.name == "ami.address" for flag in command.flags):
        text += f"\nThe secret has no flag (it would show in `ps`), only {SECRET_VARIABLE}."
    return text
