"""The flags of every command, as a table: the parser, the environment, the help and the completion all come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ami_exporter.config.faults import either, suggest
from ami_exporter.config.shard import Shard
from ami_exporter.web.flags import external_url, listen_address, route_prefix, telemetry_path

PREFIX: Final = "AMI_EXPORTER_"
LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("logfmt", "json")
DIALECTS: Final = ("modern", "1.1")
TRUE: Final = ("true", "1", "yes", "on")
FALSE: Final = ("false", "0", "no", "off")
SHELLS: Final = ("bash", "zsh", "fish")

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
STATUSES: Final = {
    OK: "all is well",
    FAILED: "a fault: of the PBX, of the configuration, or of the output, which cannot be written",
    USAGE: "wrong usage: a flag, a variable or a command",
    INTERRUPTED: "ended by Ctrl-C (SIGINT)",
}
"""Exit status → its meaning, the same for every command."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `parse` may raise ValueError; None: a switch, which `--no-…` turns off. `repeat`: collects a tuple."""

    name: str
    metavar: str
    help: str
    parse: Callable[[str], object] | None = str
    repeat: bool = False
    choices: tuple[str, ...] = ()
    field: str = ""
    """The field of the options' dataclass, if its name differs from the flag's."""

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper().replace(".", "_").replace("-", "_")

    def value(self, written: str) -> object:
        """Parse one written value. Raises ValueError."""
        if self.parse is None:
            if written.lower() not in TRUE + FALSE:
                raise ValueError("expected true or false")
            return written.lower() in TRUE
        if self.choices and written not in self.choices:
            raise ValueError(f"expected {either(self.choices)}{suggest(written, self.choices)}")
        if not written:
            raise ValueError(f"found nothing, expected {self.metavar}")
        return self.parse(written)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `positional`: name of its only argument; `optional`: whether it may be omitted."""

    name: str
    summary: str
    flags: tuple[Flag, ...]
    positional: str = ""
    optional: bool = True
    choices: tuple[str, ...] = ()


def _count(low: int, high: int) -> Callable[[str], int]:
    def parse(written: str) -> int:
        digits = written.isascii() and written.isdigit() and len(written) <= len(str(high))
        if not digits or not low <= int(written) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(written)

    return parse


CONFIG_FILE: Final = Flag("config.file", "FILE", "configuration with targets")
SHARD: Final = Flag("shard", "I/N", "serve share I of N of the targets, I from 0", Shard.parse)
AMI: Final = (
    Flag("ami.address", "HOST[:PORT]", "one PBX without any file"),
    Flag("ami.username", "NAME", "its AMI user"),
    Flag("ami.secret-file", "FILE", "file with the secret"),
    Flag("ami.tls", "", "connect with TLS (port 5039)", None),
    Flag("ami.tls-ca-file", "FILE", "authority of the PBX's certificate"),
)
LOG: Final = (
    Flag("log.level", "LEVEL", "debug, info (default), warning, error", choices=LEVELS),
    Flag("log.format", "FORMAT", "logfmt (default) or json", choices=FORMATS),
)
LISTEN: Final = Flag(
    "web.listen-address",
    "ADDRESS",
    "where to listen (default :15038); repeatable",
    listen_address,
    repeat=True,
    field="listen_addresses",
)
WEB_CONFIG_FILE: Final = Flag("web.config.file", "FILE", "TLS and passwords of our own pages")
ROUTE_PREFIX: Final = Flag("web.route-prefix", "PATH", "prefix of all paths (default: URL's path)", route_prefix)
EXTERNAL_URL: Final = Flag("web.external-url", "URL", "where people reach us, behind a proxy", external_url)
WEB: Final = (
    LISTEN,
    Flag("web.telemetry-path", "PATH", "path of the metrics (default /metrics)", telemetry_path),
    WEB_CONFIG_FILE,
    Flag("web.max-requests", "N", "at once (default max(40, 2*targets)); 0: any", _count(0, 100_000)),
    ROUTE_PREFIX,
    EXTERNAL_URL,
    Flag("web.systemd-socket", "", "listen on the sockets systemd passes", None),
)
SERVE: Final = (CONFIG_FILE, *WEB, SHARD, *AMI, *LOG)
PBX: Final = (CONFIG_FILE, *AMI, *LOG)
EVENTFILTER: Final = Flag("eventfilter", "", "print eventfilter lines for manager.conf, too", None)
SAMPLE: Final = (
    Flag("sample", "FILE", "show what custom: command: rules make of a saved output"),
    Flag("sample.command", "COMMAND", "only the rules of this command"),
)
DEMO: Final = (
    Flag("channels", "N", "channels of calls that stay up beside the traffic", _count(0, 100_000)),
    Flag("endpoints", "N", "phones and trunks (default 60)", _count(0, 100_000)),
    Flag("queues", "N", "queues (default 4)", _count(0, 10_000)),
    Flag("dialect", "DIALECT", "modern (default) or 1.1 (old servers)", choices=DIALECTS),
    Flag("seed", "N", "repeat a run (default 1)", _count(0, 2**31)),
)

COMMANDS: Final = {
    command.name: command
    for command in (
        Command("serve", "serve metrics (the default command)", SERVE),
        Command("demo", "serve the metrics of a built-in simulated PBX", (*DEMO, *WEB, *LOG)),
        Command("scrape", "poll once, print the metrics, exit 0 or 1", PBX, "TARGET"),
        Command(
            "check", "check the configuration, name every fault", (CONFIG_FILE, WEB_CONFIG_FILE, *SAMPLE, *AMI, *LOG)
        ),
        Command("doctor", "say what works, what is missing and how to fix it", (EVENTFILTER, *PBX), "TARGET"),
        Command("capture", "write an anonymised transcript for a bug report", PBX, "TARGET"),
        Command(
            "metrics",
            "print the catalogue of metrics",
            (Flag("format", "FORMAT", "markdown (default) or json", choices=("markdown", "json")),),
        ),
        Command(
            "healthcheck",
            "ask a running exporter for /-/healthy, exit 0 or 1",
            (
                LISTEN,
                WEB_CONFIG_FILE,
                ROUTE_PREFIX,
                EXTERNAL_URL,
                Flag("timeout", "SECONDS", "how long to wait (default 3)", _count(1, 60)),
            ),
        ),
        Command("completion", "print completion for a shell", (), "SHELL", optional=False, choices=SHELLS),
    )
}
