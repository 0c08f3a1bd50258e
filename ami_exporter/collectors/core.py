"""The PBX itself: version, limits, start, last reload."""

from __future__ import annotations

from collections.abc import Iterable

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, Sample, counter, gauge, polled_counter
from ami_exporter.collectors.fields import fixed, labels, number, text
from ami_exporter.collectors.reloads import last_reload
from ami_exporter.collectors.rulefold import RESPONSE

SETTINGS = Action("CoreSettings")
STATUS = Action("CoreStatus")

INFO = gauge(
    "asterisk_info",
    "Always 1; the versions of Asterisk and of its AMI, and its system name (AMI CoreSettings: AsteriskVersion)",
    "version",
    "ami_version",
    "system_name",
)
START_TIME = gauge(
    "asterisk_start_time_seconds",
    "When Asterisk started, Unix time, from Asterisk 14 on: time of our login minus Uptime; setting the PBX's clock "
    "does not change it (AMI FullyBooted: Uptime)",
)
LAST_RELOAD = gauge(
    "asterisk_last_reload_timestamp_seconds",
    "When Asterisk, or one of its modules, was last reloaded, Unix time, from Asterisk 14 on: as the login gave it, or "
    "between the two polls in which it changed; absent if daylight saving makes it ambiguous "
    "(AMI FullyBooted: LastReload; CoreStatus: CoreReloadDate, CoreReloadTime)",
)
FULLY_BOOTED = gauge(
    "asterisk_fully_booted",
    "1 once Asterisk has finished booting, 0 before; absent after five minutes without that event "
    "(AMI FullyBooted: Status)",
)
CALLS_PROCESSED = polled_counter(
    "asterisk_calls_processed_total",
    "Dialplan runs since start, not calls: one call may run the dialplan several times "
    "(AMI CoreStatus: CoreProcessedCalls, from Asterisk 20.12, 21.7, 22.2)",
)
CALLS_LIMIT = gauge(
    "asterisk_calls_limit", "maxcalls of asterisk.conf; absent when there is none (AMI CoreSettings: CoreMaxCalls)"
)
LOAD_LIMIT = gauge(
    "asterisk_load_average_limit",
    "maxload of asterisk.conf; absent when there is none (AMI CoreSettings: CoreMaxLoadAvg)",
)
FILES_LIMIT = gauge(
    "asterisk_open_files_limit",
    "maxfiles of asterisk.conf; absent when there is none (AMI CoreSettings: CoreMaxFilehandles)",
)
BOOTS = counter(
    "asterisk_boots_total",
    "Starts of Asterisk since the exporter started: a start after the last sign of life, or a later start time than "
    "before; changed clocks do not count. Absent if neither is known "
    "(AMI FullyBooted: Uptime; CoreStatus: CoreStartupDate, CoreStartupTime)",
    sent=lambda context, _values: context.tells_start,
)

# CoreSettings writes 0 where asterisk.conf sets no limit.
_SET = 1e-6


class CoreFold:
    """Adds facts of the login (start, boot) and the last reload, which depends on them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reloaded: float | None = None

    def again(self, context: Context, resting: frozenset[Action]) -> CoreFold:
        """Return the next poll's fold, which keeps the cached answers."""
        fold = CoreFold(context)
        if STATUS in resting:
            fold._reloaded = self._reloaded
        return fold

    def item(self, action: Action, message: Message) -> None:
        """Take the response to CoreStatus."""
        if action == STATUS and self._context.start_time is not None:
            found = last_reload(message, self._context.reload, self._context.start_time, self._context.now)
            self._reloaded = None if found is None else found.time

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        if self._context.start_time is not None:
            yield START_TIME, (), self._context.start_time
        if self._context.fully_booted is not None:
            yield FULLY_BOOTED, (), float(self._context.fully_booted)
        if STATUS in complete and self._reloaded is not None:
            yield LAST_RELOAD, (), self._reloaded


COLLECTOR = Collector(
    name="core",
    title="The PBX: version, start, limits, last reload",
    metrics=(
        INFO,
        START_TIME,
        LAST_RELOAD,
        FULLY_BOOTED,
        CALLS_PROCESSED,
        CALLS_LIMIT,
        LOAD_LIMIT,
        FILES_LIMIT,
        BOOTS,
    ),
    polls=((SETTINGS,), (STATUS,)),
    rules=(
        Rule(
            INFO,
            SETTINGS,
            (RESPONSE,),
            labels(text("AsteriskVersion", missing=""), text("AMIversion", missing=""), text("SystemName", missing="")),
            fixed(1),
            reduce="last",
        ),
        Rule(CALLS_LIMIT, SETTINGS, (RESPONSE,), value=number("CoreMaxCalls", minimum=_SET), reduce="last"),
        Rule(LOAD_LIMIT, SETTINGS, (RESPONSE,), value=number("CoreMaxLoadAvg", minimum=_SET), reduce="last"),
        Rule(FILES_LIMIT, SETTINGS, (RESPONSE,), value=number("CoreMaxFilehandles", minimum=_SET), reduce="last"),
        Rule(CALLS_PROCESSED, STATUS, (RESPONSE,), value=number("CoreProcessedCalls"), reduce="last"),
    ),
    fold=CoreFold,
)
