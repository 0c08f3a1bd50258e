"""The command line and the environment → one frozen dataclass.

A flag overrides its environment variable (`AMI_EXPORTER_` + the flag in capitals), which overrides the file. Only the
AMI secret has a variable but no flag: a flag would show in the process list. Wrong usage ends as in argparse: one line
on stderr, exit status 2. The configuration package checks the contents of the file.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TextIO

from ami_exporter.commands.flags import COMMANDS, PREFIX, Command, Flag
from ami_exporter.commands.usage import Parser, build_parser, overview
from ami_exporter.config.amiflags import SECRET_VARIABLE, AmiFlags
from ami_exporter.config.faults import counted, either, shorten, suggest
from ami_exporter.config.secret import Secret
from ami_exporter.web.flags import WebFlags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ami_exporter.commands.logs import Guard
    from ami_exporter.config.shard import Shard


@dataclass(frozen=True, slots=True)
class Run:
    """What a command may use besides its options. guard: knows the secrets that no log line may show."""

    environ: Mapping[str, str]
    out: TextIO
    guard: Guard


HELP: Final = ("-h", "--help", "help")
SECRET_FLAGS: Final = ("--ami.secret", "--ami.password", "--secret", "--password")
"""What people try, though it would show in the process list."""
OTHER_FLAGS: Final = {"-v": "--version", "-V": "--version"}
BY_KUBERNETES: Final = re.compile(r"AMI_EXPORTER_(SERVICE_(HOST|PORT.*)|PORT(_.*)?)")
"""Variables that Kubernetes sets in every pod of a namespace with a Service named ami-exporter."""


@dataclass(frozen=True, slots=True)
class Options:
    """A command and its flags; the defaults are given here. Each field has its flag's name, each group is a class."""

    command: str
    config_file: str | None = None
    web: WebFlags = field(default_factory=WebFlags)
    ami: AmiFlags = field(default_factory=AmiFlags)
    shard: Shard | None = None
    log_level: str = "info"
    log_format: str = "logfmt"
    target: str | None = None
    """For scrape, doctor and capture; None: the only target."""
    eventfilter: bool = False
    sample: str | None = None
    sample_command: str | None = None
    channels: int = 0
    endpoints: int = 60
    queues: int = 4
    dialect: str = "modern"
    seed: int = 1
    format: str = "markdown"
    timeout: int = 3
    """Seconds, for healthcheck."""
    shell: str = ""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Flag → the source of its value: `--flag` or the variable."""
    warnings: tuple[str, ...] = ()


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Parse the arguments after the program's name. Raises SystemExit: 0 after --help or --version, 2 on a fault."""
    if argv and argv[0] in HELP and (argv[1:] and argv[1] in COMMANDS):
        argv = [argv[1], "--help"]
    if argv and argv[0] in HELP:
        sys.stdout.write(overview())
        raise SystemExit(0)
    if list(argv) == ["complete"]:  # only the completion scripts run it
        return Options("complete")
    named = bool(argv) and not argv[0].startswith("-")
    name = argv[0] if named else "serve"
    if name not in COMMANDS:
        parser = Parser(prog="ami-exporter", usage="ami-exporter [COMMAND] [flags]")
        parser.error(
            f"found an unknown command, expected {either(list(COMMANDS))}{_meant(name) or suggest(name, COMMANDS)}"
        )
    return _Values(COMMANDS[name], argv[1:] if named else argv, environ).options()


class _Values:
    """The checked values of one command's flags, by flag name; the parser ends the program on a fault."""

    def __init__(self, command: Command, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self.command = command
        self.parser = build_parser(command)
        self.environ = environ
        given, rest = self.parser.parse_known_args(list(argv))
        if rest:
            self.parser.error(_leftover(rest, command))
        self.sources: dict[str, str] = {}
        """Flag → the source of its value; only flags that were given are included."""
        self.values: dict[str, Any] = {}
        if command.positional:
            self._positional(given.positional)
        for flag in command.flags:
            self._take(flag, getattr(given, flag.name))

    def options(self) -> Options:
        """Return the options: given values and defaults."""
        groups = ("web.", "ami.")
        plain = {_python(name): value for name, value in self.values.items() if not name.startswith(groups)}
        web, warnings = WebFlags(**self._group("web.")), tuple(unknown_variables(self.environ))
        return Options(self.command.name, web=web, ami=self._ami(), sources=self.sources, warnings=warnings, **plain)

    def _group(self, prefix: str) -> dict[str, Any]:
        """The values of a group's flags, by field of its class."""
        flags = [flag for flag in self.command.flags if flag.name.startswith(prefix) and flag.name in self.values]
        return {flag.field or _python(flag.name.removeprefix(prefix)): self.values[flag.name] for flag in flags}

    def _positional(self, given: str | None) -> None:
        name, choices = self.command.positional, self.command.choices
        if given is None and not self.command.optional:
            self.parser.error(f"found no {name}, expected {either(choices)}")
        if given is not None and choices and given not in choices:
            self.parser.error(f"{name}: expected {either(choices)}{suggest(given, choices)}")
        self.values[name.lower()] = given

    def _take(self, flag: Flag, given: str | list[str] | None) -> None:
        where = f"--{flag.name}"
        if given is None:
            where, given = flag.variable, self.environ.get(flag.variable)
            if not given:
                return
            given = [part.strip() for part in given.split(",")] if flag.repeat else given
        self.sources[flag.name] = where
        try:
            self.values[flag.name] = tuple(map(flag.value, given)) if isinstance(given, list) else flag.value(given)
        except ValueError as error:
            self.parser.error(f"{where}: {error}")

    def _ami(self) -> AmiFlags:
        """The flags of one PBX, with the secret from the environment unless a flag names its file."""
        sources = {key: self.sources[name] for key, name in _AMI_SETTINGS.items() if name in self.sources}
        secret, file = self.environ.get(SECRET_VARIABLE), sources.get("secret_file", "")
        if secret and file and not file.startswith("--"):
            self.parser.error(f"{SECRET_VARIABLE} and {file}: found both, expected one of them")
        beside = [source for name, source in self.sources.items() if name.startswith("ami.") and self.values[name]]
        if beside and "ami.address" not in self.values:
            where = "--ami.address" if beside[0].startswith("--") else f"{PREFIX}AMI_ADDRESS"
            self.parser.error(f"{where}: not given, expected it beside {beside[0]}")
        return AmiFlags(**self._group("ami."), secret=Secret(secret) if secret and not file else None, sources=sources)


_AMI_SETTINGS: Final = {
    "address": "ami.address",
    "username": "ami.username",
    "secret_file": "ami.secret-file",
    "tls": "ami.tls-ca-file",
}
"""Target setting → the flag that sets it."""


def _python(flag: str) -> str:
    return re.sub(r"[.-]", "_", flag)


def _leftover(rest: Sequence[str], command: Command) -> str:
    """Describe an unknown argument without quoting it: it may contain a secret, as -pSECRET does."""
    flags = [word.partition("=")[0] for word in rest if word.startswith("-")]
    meant = next(filter(None, map(_meant, rest)), "")
    if not flags:
        return f"found {counted(len(rest), 'argument')} too many{meant}"
    for flag in flags:
        if flag in SECRET_FLAGS:
            return f"{flag}: a flag would show in the process list; use --ami.secret-file or {SECRET_VARIABLE}"
    valid = [*(f"--{flag.name}" for flag in command.flags), "--version", "--help"]
    return f"found an unknown flag{suggest(OTHER_FLAGS.get(flags[0], flags[0]), valid) or meant}"


def _meant(word: str) -> str:
    """End a message about a word that is no command and no flag: what it looks like, and where that belongs."""
    if word == "version":
        return "; did you mean --version?"
    if re.search(r"/|\.(ya?ml|json|conf)$", word):
        return "; a file is named by --config.file"
    return "; a PBX is named by --ami.address" if re.fullmatch(r"[\w-]+(\.[\w-]+)*[.:][\w:]+", word) else ""


def unknown_variables(environ: Mapping[str, str]) -> Iterable[str]:
    """The variables that look like ours but are unknown."""
    valid = {flag.variable for command in COMMANDS.values() for flag in command.flags} | {SECRET_VARIABLE}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in valid and not BY_KUBERNETES.fullmatch(name):
            yield f"the environment variable {shorten(name)} means nothing here{suggest(name, valid)}"
