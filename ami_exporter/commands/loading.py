"""From flags, file and environment to settings and collectors: where the configuration meets what exists."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ami_exporter.ami import destinations
from ami_exporter.ami.actions import ACTIONS, AnswerForm
from ami_exporter.ami.cli_commands import refusal
from ami_exporter.ami.event_classes import NEVER_ASKED_FOR
from ami_exporter.collectors import custom
from ami_exporter.collectors.declarations import Collector, Metric
from ami_exporter.collectors.registry import builtin, metrics
from ami_exporter.commands.logs import Guard
from ami_exporter.config.amiflags import AmiFlags
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.faults import ConfigErrors, Fault, either, suggest
from ami_exporter.config.shard import Shard
from ami_exporter.config.source import load_settings
from ami_exporter.config.target_settings import Settings, TargetSettings
from ami_exporter.exposition import own_metrics
from ami_exporter.pbx.built_collectors import built_for

#: Status tells codecs; CoreShowChannels takes no channel's lock. EnabledCollector for one collector, chosen for all.
CHANNEL_SOURCES = ("Status", "CoreShowChannels")


def catalogue(environ: Mapping[str, str]) -> Catalogue:
    """What the configuration may name."""
    collectors = builtin()
    return Catalogue(
        collectors={collector.name: sources(collector) for collector in collectors},
        metrics=frozenset(metric.name for metric in all_metrics(collectors)),
        actions={name: spec.items for name, spec in ACTIONS.items() if spec.form is not AnswerForm.COMMAND},
        unheard=NEVER_ASKED_FOR,
        environ=environ,
        refused_command=refusal,
        refused_destination=lambda channel, internal: destinations.refusal(channel, internal=internal),
    )


def all_metrics(collectors: Sequence[Collector]) -> tuple[Metric, ...]:
    """Every metric the exporter may serve, its own included."""
    return (*own_metrics.METRICS, *metrics(collectors))


def sources(collector: Collector) -> tuple[str, ...]:
    """The actions among which `source:` chooses: the two lists of channels, where a collector folds one of them."""
    choices = [tuple(action.name for action in alternatives) for alternatives in collector.polls]
    return CHANNEL_SOURCES if CHANNEL_SOURCES in choices else ()


def chosen_target(name: str | None, settings: Settings) -> TargetSettings:
    """The one target a command is about: the one named, or the only one. Raises ConfigErrors naming those there are."""
    names = list(settings.targets)
    wanted = names[0] if name is None and len(names) == 1 else name
    if wanted is None:
        message = f"found {len(names)} targets, expected the name of one: {either(names or ['none configured'])}"
    elif wanted not in settings.targets:
        message = f"found no such target, expected {either(names)}{suggest(wanted, names)}"
    else:
        return settings.targets[wanted]
    raise ConfigErrors([Fault("command line", 0, 0, message)])


class Loader:
    """Reads the configuration, at the start and at each reload."""

    def __init__(
        self,
        config_file: str | None,
        flags: AmiFlags,
        environ: Mapping[str, str],
        *,
        shard: Shard | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._config_file = config_file
        self._flags = flags
        self._shard = shard
        self._environ = environ
        self._guard = guard

    def settings(self) -> Settings:
        """Settings of the targets of this shard. Raises ConfigErrors."""
        settings = load_settings(self._config_file, self._flags, catalogue(self._environ))
        try:
            custom.collector(settings.custom)
        except ValueError as error:
            raise ConfigErrors([Fault(self._config_file or "command line", 0, 0, f"custom: {error}")]) from error
        if self._guard is not None:
            self._guard.know(secret for one in settings.targets.values() for secret in one.secrets)
        if self._shard is None:
            return settings
        mine = {name: one for name, one in settings.targets.items() if self._shard.holds(name)}
        return replace(settings, targets=mine)

    def collectors(self, settings: Settings, one: TargetSettings) -> Sequence[Collector]:
        """All collectors that exist for a target; what did not change stays the same object."""
        own = (custom.collector(settings.custom, time.process_time),) if settings.custom else ()
        return (*built_for(one), *own)
