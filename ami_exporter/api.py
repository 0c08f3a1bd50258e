"""For programs that embed this: an AMI client, and collectors for their own prometheus_client registry.

What is named in `__all__` is kept compatible (semantic versioning); everything else may change at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from types import TracebackType
from typing import Self

from prometheus_client.core import Metric as LibraryMetric
from prometheus_client.registry import Collector as LibraryCollector

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import AmiError, ForbiddenAction, LinkClosed, LoginRefused, Timeout
from ami_exporter.ami.link import Answer, Link
from ami_exporter.ami.login import Credentials
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Metric, Rule, ZeroSeries, counter, gauge, histogram
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import PORT, TIMEOUT, TLS_PORT, AmiTlsSettings, TargetSettings
from ami_exporter.exposition.text import bound
from ami_exporter.exposition.writer import Family
from ami_exporter.pbx.built_collectors import built_for
from ami_exporter.pbx.event_loop import EventLoop
from ami_exporter.pbx.target import Target

__all__ = [
    "Action",
    "AmiClient",
    "AmiError",
    "AmiTlsSettings",
    "AnswerError",
    "AsteriskCollector",
    "Collector",
    "Context",
    "ForbiddenAction",
    "LinkClosed",
    "LoginRefused",
    "Message",
    "Metric",
    "Rule",
    "Secret",
    "TargetSettings",
    "Timeout",
    "Tls",
    "ZeroSeries",
    "builtin",
    "counter",
    "gauge",
    "histogram",
]

Tls = AmiTlsSettings
STOP_SECONDS = 3.0


class AnswerError(AmiError):
    """The server did not answer an action in full: `answer.outcome` is refused, failed, cut or deadline."""

    def __init__(self, action: Action, answer: Answer) -> None:
        super().__init__(f"{action.name}: {answer.outcome}: {answer.message or 'no text'}")
        self.answer = answer


class AmiClient:
    """One session with a server, for read-only actions. One thread at a time; use it as a context manager.

    timeout: seconds for each call, connecting included. Without TLS the login is by challenge, so that the secret
    does not travel.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        username: str,
        secret: str | Secret,
        tls: Tls | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        plain = secret.reveal() if isinstance(secret, Secret) else secret
        self._timeout = timeout
        self._link = Link(
            host,
            port or (TLS_PORT if tls else PORT),
            Credentials(username, plain, md5=tls is None),
            tls=tls,
        )

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connect and log in. Raises AmiError: LoginRefused, Timeout and others that say what to check."""
        self._link.open(self._deadline())

    def close(self) -> None:
        """Log off; harmless when not connected."""
        self._link.close()

    @property
    def version(self) -> tuple[int, ...]:
        """AMI version of the server, such as (11, 0, 0); empty before `connect`."""
        return self._link.version

    def offers(self, action: str) -> bool:
        """Tell whether the server offers an action to this user (AMI ListCommands)."""
        return self._link.offers(action)

    def ask(self, name: str, **params: str) -> list[Message]:
        """Send one action and return the items of its list, or its single response. "There are none" is an empty list.

        Raises ForbiddenAction for what is not in the table of read-only actions, AnswerError when the answer is
        not complete, LinkClosed when there is no session.
        """
        items: list[Message] = []
        self.stream(name, items.append, **params)
        return items

    def stream(self, name: str, on_item: Callable[[Message], object], **params: str) -> None:
        """Like `ask`, but hand over each item as it arrives, so that memory does not grow with the list."""
        action = Action(name, tuple(params.items()))

        def item(_action: Action, message: Message) -> None:
            on_item(message)

        answer = self._link.exchange([action], item, self._deadline())[action]
        if not answer.full:
            raise AnswerError(action, answer)

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout


class AsteriskCollector(LibraryCollector):
    """The metrics of one PBX as a collector of prometheus_client: `registry.register(AsteriskCollector(settings))`.

    Listens to events from now on until `close`, unless settings.events is False. Each `collect` polls the PBX within
    settings.timeout; a PBX that is down gives `asterisk_up 0`, never an error. One PBX a registry: two would have the
    same series. collectors: the built-in ones when None; add your own with `(*builtin(), MINE)`.
    """

    def __init__(self, settings: TargetSettings, collectors: Sequence[Collector] | None = None) -> None:
        self._timeout = settings.timeout
        self._loop = EventLoop()
        own = built_for(settings)
        chosen = own if collectors is None else collectors
        self._target = Target(settings, chosen, loop=self._loop)
        self._target.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log off; collecting afterwards finds the PBX down."""
        self._target.stop()
        self._target.join(STOP_SECONDS)
        self._loop.stop(STOP_SECONDS)

    def describe(self) -> Iterable[LibraryMetric]:
        """Return all possible families without samples, so that registering polls no PBX."""
        return [_library(Family(metric)) for collector in self._target.collectors for metric in collector.metrics]

    def collect(self) -> Iterable[LibraryMetric]:
        """Poll the PBX and return every family with its samples."""
        names = frozenset(collector.name for collector in self._target.collectors)
        return [_library(family) for family in self._target.scrape(names, time.monotonic() + self._timeout)]


def _library(family: Family) -> LibraryMetric:
    ours = family.metric
    theirs = LibraryMetric(
        ours.name.removesuffix("_total") if ours.type == "counter" else ours.name, ours.help, ours.type
    )
    for values, value in sorted(family.values.items()):
        theirs.add_sample(ours.name, dict(zip(ours.labels, values, strict=True)), value)
    for values, histogram_value in sorted(family.histograms.items(), key=lambda item: item[0]):
        labels = dict(zip(ours.labels, values, strict=True))
        for upper, count in zip((*map(bound, ours.buckets), "+Inf"), accumulate(histogram_value.counts), strict=True):
            theirs.add_sample(f"{ours.name}_bucket", {**labels, "le": upper}, count)
        theirs.add_sample(f"{ours.name}_count", labels, histogram_value.count)
        theirs.add_sample(f"{ours.name}_sum", labels, histogram_value.sum)
    return theirs
