"""The command line and the environment → one frozen dataclass for the command.

A flag beats its environment variable (`AMI_EXPORTER_` + the flag in capitals), which beats the file. The AMI secret
alone has a variable and no flag: a flag would show in the process list. Wrong usage ends as argparse does: one line
on stderr, exit status 2. What the file says is checked by the configuration, not here.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, Union, cast

from ami_exporter.commands.flags import COMMANDS, PREFIX, Command, Flag
from ami_exporter.commands.usage import Parser, build_parser, overview
from ami_exporter.config.amiflags import SECRET_VARIABLE, AmiFlags
from ami_exporter.config.faults import counted, either, shorten, suggest
from ami_exporter.config.secret import Secret
from ami_exporter.web.flags import WebFlags, path_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ami_exporter.config.shard import Shard

TRUE: Final = ("true", "1", "yes", "on")
FALSE: Final = ("false", "0", "no", "off")
BY_KUBERNETES: Final = re.compile(r"AMI_EXPORTER_(SERVICE_(HOST|PORT.*)|PORT(_.*)?)")
"""What Kubernetes sets in every pod beside a Service named ami-exporter."""


@dataclass(frozen=True, slots=True)
class Log:
    """`--log.*`."""

    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Serve:
    """`serve`, or no command."""

    config_file: str | None
    web: WebFlags
    shard: Shard | None
    ami: AmiFlags
    log: Log
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demo:
    """`demo`."""

    channels: int
    endpoints: int
    queues: int
    dialect: str
    seed: int
    web: WebFlags
    log: Log
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pbx:
    target: str | None
    config_file: str | None
    ami: AmiFlags
    log: Log
    warnings: tuple[str, ...] = ()


class Scrape(_Pbx):
    """`scrape [TARGET]`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Doctor(_Pbx):
    """`doctor [TARGET]`. `eventfilter`: print lines for manager.conf, too."""

    eventfilter: bool = False


class Capture(_Pbx):
    """`capture [TARGET]`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Check:
    """`check`. `sample`: file with a console command's output; `sample_command`: whose, None: any rule's."""

    config_file: str | None
    web_config_file: str | None
    ami: AmiFlags
    log: Log
    warnings: tuple[str, ...] = ()
    sample: str | None = None
    sample_command: str | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """`metrics`. `format`: markdown or json."""

    format: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """`healthcheck`. `timeout`: seconds."""

    listen_address: str
    web_config_file: str | None
    route_prefix: str
    timeout: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """`completion SHELL`."""

    shell: str
    warnings: tuple[str, ...] = ()


Options = Union[Serve, Demo, Scrape, Check, Doctor, Capture, Metrics, Healthcheck, Completion]  # noqa: UP007 - mypy wants it


P = TypeVar("P", Scrape, Capture)


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Parse the arguments after the program's name. Raises SystemExit: 0 after --help or --version, 2 on a fault."""
    if argv and argv[0] in ("-h", "--help", "help"):
        sys.stdout.write(overview())
        raise SystemExit(0)
    named = bool(argv) and not argv[0].startswith("-")
    name = argv[0] if named else "serve"
    if name not in COMMANDS:
        parser = Parser(prog="ami-exporter", usage="ami-exporter [COMMAND] [flags]")
        parser.error(f"found an unknown command, expected {either(list(COMMANDS))}{suggest(name, COMMANDS)}")
    command = COMMANDS[name]
    values = _Values(command, argv[1:] if named else argv, environ)
    return _MAKE[name](values)


class _Values:
    """The checked values of one command's flags, by flag name; faults end the program through the parser."""

    def __init__(self, command: Command, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self.parser = build_parser(command)
        self.environ = environ
        namespace, rest = self.parser.parse_known_args(list(argv))
        if rest:
            self.parser.error(_leftover(rest, command))
        self.sources: dict[str, str] = {}
        """Flag → `--flag` or the variable, whichever gave its value."""
        self.positional = self._positional(command, namespace.positional if command.positional else None)
        self.values = {flag.name: self._value(flag, getattr(namespace, flag.name)) for flag in command.flags}
        self.warnings = tuple(unknown_variables(environ))

    def _positional(self, command: Command, given: str | None) -> str | None:
        if given is None and not command.optional:
            self.parser.error(f"found no {command.positional}, expected {either(command.choices)}")
        if given is not None and command.choices and given not in command.choices:
            near = suggest(given, command.choices)
            self.parser.error(f"{command.positional}: expected {either(command.choices)}{near}")
        return given

    def _value(self, flag: Flag, given: str | list[str] | None) -> object:
        where = f"--{flag.name}"
        if given is None:
            written = self.environ.get(flag.variable, "")
            if not written:
                return flag.default
            where = flag.variable
            given = [part.strip() for part in written.split(",")] if flag.repeat else written
        self.sources[flag.name] = where
        try:
            if flag.repeat:
                return tuple(self._one(flag, one) for one in given)
            return self._one(flag, cast("str", given))
        except ValueError as error:
            self.parser.error(f"{where}: {error}")

    @staticmethod
    def _one(flag: Flag, written: str) -> object:
        if flag.parse is None:
            if written.lower() not in TRUE + FALSE:
                raise ValueError("expected true or false")
            return written.lower() in TRUE
        if flag.choices and written not in flag.choices:
            near = suggest(written, flag.choices)
            raise ValueError(f"expected {either(flag.choices)}{near}")
        if not written:
            raise ValueError(f"found nothing, expected {flag.metavar}")
        return flag.parse(written)

    def text(self, name: str) -> str | None:
        return cast("str | None", self.values[name])

    def number(self, name: str) -> int:
        return cast("int", self.values[name])

    def word(self, name: str) -> str:
        return cast("str", self.values[name])

    def ami(self) -> AmiFlags:
        secret = self._environment_secret()
        sources = {key: self.sources[name] for key, name in _AMI_SETTINGS.items() if name in self.sources}
        flags = AmiFlags(
            address=self.text("ami.address"),
            username=self.text("ami.username"),
            secret=Secret(secret) if secret else None,
            secret_file=self.text("ami.secret-file"),
            tls=cast("bool", self.values["ami.tls"]),
            tls_ca_file=self.text("ami.tls-ca-file"),
            sources=sources,
        )
        if not flags and (flags.username or flags.secret_file or flags.tls or flags.tls_ca_file):
            beside = next(iter(sources.values()))
            where = "--ami.address" if beside.startswith("--") else f"{PREFIX}AMI_ADDRESS"
            self.parser.error(f"{where}: not given, expected it beside {beside}")
        return flags

    def _environment_secret(self) -> str | None:
        """The secret of the environment, unless a flag names its file: a flag beats a variable."""
        secret, file = self.environ.get(SECRET_VARIABLE), self.sources.get("ami.secret-file")
        if not secret or file is None:
            return secret
        if not file.startswith("--"):
            self.parser.error(f"{SECRET_VARIABLE} and {file}: found both, expected one of them")
        return None

    def log(self) -> Log:
        return Log(self.word("log.level"), self.word("log.format"))

    def web(self) -> WebFlags:
        return WebFlags(
            listen_addresses=cast("tuple[str, ...]", self.values["web.listen-address"]),
            telemetry_path=self.word("web.telemetry-path"),
            config_file=self.text("web.config.file"),
            max_requests=cast("int | None", self.values["web.max-requests"]),
            route_prefix=self.text("web.route-prefix"),
            external_url=self.text("web.external-url") or "",
            systemd_socket=cast("bool", self.values["web.systemd-socket"]),
        )


def _serve(values: _Values) -> Serve:
    shard = cast("Shard | None", values.values["shard"])
    return Serve(values.text("config.file"), values.web(), shard, values.ami(), values.log(), values.warnings)


def _demo(values: _Values) -> Demo:
    return Demo(
        channels=values.number("channels"),
        endpoints=values.number("endpoints"),
        queues=values.number("queues"),
        dialect=values.word("dialect"),
        seed=values.number("seed"),
        web=values.web(),
        log=values.log(),
        warnings=values.warnings,
    )


def _pbx(kind: type[P]) -> Callable[[_Values], P]:
    return lambda values: kind(
        values.positional, values.text("config.file"), values.ami(), values.log(), values.warnings
    )


def _doctor(values: _Values) -> Doctor:
    config, eventfilter = values.text("config.file"), cast("bool", values.values["eventfilter"])
    return Doctor(values.positional, config, values.ami(), values.log(), values.warnings, eventfilter)


def _check(values: _Values) -> Check:
    return Check(
        values.text("config.file"),
        values.text("web.config.file"),
        values.ami(),
        values.log(),
        values.warnings,
        values.text("sample"),
        values.text("sample.command"),
    )


def _healthcheck(values: _Values) -> Healthcheck:
    addresses = cast("tuple[str, ...]", values.values["web.listen-address"])
    return Healthcheck(
        listen_address=addresses[0],
        web_config_file=values.text("web.config.file"),
        route_prefix=path_prefix(values.text("web.route-prefix"), values.text("web.external-url") or ""),
        timeout=values.number("timeout"),
        warnings=values.warnings,
    )


_MAKE: Final[Mapping[str, Callable[[_Values], Options]]] = {
    "serve": _serve,
    "demo": _demo,
    "scrape": _pbx(Scrape),
    "check": _check,
    "doctor": _doctor,
    "capture": _pbx(Capture),
    "metrics": lambda values: Metrics(values.word("format"), values.warnings),
    "healthcheck": _healthcheck,
    "completion": lambda values: Completion(values.positional or "", values.warnings),
}


_AMI_SETTINGS: Final = {
    "address": "ami.address",
    "username": "ami.username",
    "secret_file": "ami.secret-file",
    "tls": "ami.tls-ca-file",
}
"""Setting of a target → the flag that gives it."""


def _leftover(rest: Sequence[str], command: Command) -> str:
    """Word what argparse did not know, without it: it may hold a secret, as -pSECRET does."""
    flags = [word.partition("=")[0] for word in rest if word.startswith("-")]
    if not flags:
        return f"found {counted(len(rest), 'argument')} too many"
    if "--ami.secret" in flags:
        return f"--ami.secret: a flag would show in the process list; use --ami.secret-file or {SECRET_VARIABLE}"
    valid = [f"--{flag.name}" for flag in command.flags]
    return f"found an unknown flag{suggest(flags[0], valid)}"


def unknown_variables(environ: Mapping[str, str]) -> Iterable[str]:
    """Name the variables that look like ours and mean nothing."""
    valid = {flag.variable for command in COMMANDS.values() for flag in command.flags} | {SECRET_VARIABLE}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in valid and not BY_KUBERNETES.fullmatch(name):
            yield f"the environment variable {shorten(name)} means nothing here{suggest(name, valid)}"
