"""The report, as text for a terminal of 96 columns. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ami_exporter.ami.action_versions import Version, is_newer
from ami_exporter.ami.rights import BASE, RISKS, TIER, least_dangerous
from ami_exporter.collectors.declarations import Collector
from ami_exporter.commands.doctor import eventfilter
from ami_exporter.commands.doctor.advice import Diagnosis, Subject, event_need, smallest_read
from ami_exporter.commands.doctor.callers import other_users
from ami_exporter.commands.doctor.examine import Examination
from ami_exporter.commands.doctor.findings import Finding, State
from ami_exporter.commands.doctor.modules import MODULE_OF
from ami_exporter.commands.doctor.userblock import user_block
from ami_exporter.commands.doctor.versions import (
    events_of_version,
    is_newer_collector,
    not_sent,
    version_of,
    written,
)

WIDTH = 96
_NAME, _STATE, _READ = 20, 19, 16


def report(about: Subject, found: Examination, result: Diagnosis, *, eventfilters: bool = False) -> str:
    """The whole report; the table and the faults to fix come last, where a terminal shows them."""
    sections = (
        _head(about, found),
        _reads(about, result),
        _writes(result),
        _user(about, found, result),
        _filters(about, found) if eventfilters else (),
        _not_sent(found),
        _table(about, found, result),
        _not_here(found, result),
        _end(result),
    )
    text = "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"
    # The text contains the server's words: no control characters may reach the terminal.
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _head(about: Subject, found: Examination) -> Iterator[str]:
    version = f"Asterisk {found.version}" if found.version else "Asterisk (its version needs write=reporting)"
    yield from _wrapped(
        f"{about.settings.name}: {version}, AMI {'.'.join(map(str, found.ami))}, user {about.settings.username}"
    )


def _table(about: Subject, found: Examination, result: Diagnosis) -> Iterator[str]:
    version = version_of(found)
    collectors = {choice.collector.name: choice.collector for choice in about.chosen}
    yield _row("COLLECTOR", "LISTS", "READ=", "HOW TO FIX IT")
    for one in result.findings:
        need = event_need(collectors[one.name], version) if about.settings.events else ""
        state = State.UNSUPPORTED if is_newer_collector(one.name, version) else one.state
        yield from _rows(one.name, state, need, list(_mending(one, version)))
    for collector in about.off:
        yield from _rows(collector.name, State.OFF, event_need(collector, version), [f"opt-in{_need(collector)}"])


def _need(collector: Collector) -> str:
    actions = [action for choice in collector.polls for action in choice[:1]]
    if any(action.is_command for action in actions):
        return ", needs a command_user"
    rights = {least_dangerous(action.spec.rights) for action in actions} & {BASE, TIER}
    return f", needs write={','.join(sorted(rights))}" if rights else ""


def _mending(one: Finding, version: Version) -> Iterator[str]:
    instead = one.instead or {}
    for right, actions in (one.missing or {}).items():
        names = [f"{name} (now {instead[name]})" if name in instead else name for name in actions]
        yield f"write={right} brings {', '.join(names)}"
    if one.left:
        yield f"{', '.join(one.left)}: the right for it is not recommended"
    yield from one.faults
    here = [action for action in one.unsupported if not is_newer(action, version)]
    if is_newer_collector(one.name, version) or (one.state is State.UNSUPPORTED and not here):
        yield f"newer than Asterisk {written(version)}"
    elif one.state is State.UNSUPPORTED:
        yield f"no {', no '.join(_modules(here))} here"


def _modules(actions: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(MODULE_OF.get(action, action) for action in actions))


def _not_here(found: Examination, result: Diagnosis) -> Iterator[str]:
    version = version_of(found)
    newer = [action for action in result.unsupported if is_newer(action, version)]
    here = [action for action in result.unsupported if action not in newer]
    if here:
        modules = "; ".join(_modules(here))
        yield from _wrapped(f"Not on this server, which is not a fault: {modules} ({', '.join(here)}).")
    if newer:
        yield from _wrapped(f"Newer than Asterisk {written(version)}, which is not a fault: {', '.join(newer)}.")


def _not_sent(found: Examination) -> Iterator[str]:
    yield from _wrapped(not_sent(version_of(found)))


_SEEN = {True: "yes", False: "NO", None: "cannot be seen until such an event happens"}


def _reads(about: Subject, result: Diagnosis) -> Iterator[str]:
    if not about.settings.events:
        yield from _wrapped("Events are off for this target (events: false): no counters, no histograms.")
        return
    yield "Classes of read= that the event counters need, and whether this user has them:"
    for name, there in result.reads.items():
        yield f"  {name:<12}{_SEEN[there]}"


def _writes(result: Diagnosis) -> Iterator[str]:
    held = ", ".join(name for name in RISKS if name in result.held) or "none"
    yield from _wrapped(f"Classes of write= this user has: {held}", following="  ")
    if result.held & {"reporting", "call"}:
        yield from _wrapped(
            "Warning: by Getvar this user reads what dialplan functions read: secrets in configuration files "
            "(func_config), PJSIP passwords (func_sorcery), web pages (func_curl). Not used by your dialplan? "
            "Then noload = func_config.so, func_sorcery.so and func_curl.so in modules.conf, and restart Asterisk.",
            following="  ",
        )
    if result.surplus:
        yield "More than gauges are worth; whoever has the secret"
    for name, actions in result.surplus.items():
        used = f" (needed for {', '.join(actions)})" if actions else ""
        yield from _wrapped(f"{RISKS[name]}{used}", f"  {name:<12}", " " * 14)
    if len(result.surplus) > len(RISKS) // 2:
        yield from _wrapped(
            "Not meant? An empty name among the classes (write = reporting,,system) means all of them.", "  "
        )


def _user(about: Subject, found: Examination, result: Diagnosis) -> Iterator[str]:
    yield from _wrapped(
        "The smallest AMI user for what is enabled. Put it into manager.conf (FreePBX overwrites that one: there "
        "manager_custom.conf), with a secret of your own:"
    )
    yield ""
    yield from user_block(
        about.settings.username, found.address, read=smallest_read(about, version_of(found)), write=BASE
    )
    yield ""
    yield from _wrapped(
        'Then: asterisk -rx "manager reload", and restart the exporter: a session keeps the rights of its login.'
    )
    yield from _tiers(result)
    for name, (_, right) in other_users(about.settings).items():
        purpose = "canary calls" if right == "originate" else "console commands"
        yield ""
        yield from _wrapped(f"The user for {purpose} alone; whoever has its secret {RISKS[right]}:")
        yield ""
        yield from user_block(name, found.address, read="", write=right)


def _filters(about: Subject, found: Examination) -> Iterator[str]:
    if about.settings.events:
        yield from _wrapped(_about_filters(found.version))
        yield ""
        yield from eventfilter.lines(events_of_version(about.events, version_of(found)), found.version)


def _about_filters(version: str) -> str:
    begin = (
        "Optional lines for that user, which spare the PBX sending the events that nothing here counts (they filter "
        "events, never lists). "
    )
    since = "Asterisk 18.26, 20.11, 21.6, 22.1 and 23.0"
    if eventfilter.filters_by_name(version):
        return f"{begin}This form is known since {since}; servers older than that silently ignore it."
    return (
        f"{begin}This is the old form, a regular expression tried on every event. The newer one by name, "
        f"eventfilter(name(X)), is known since {since}, and silently ignored by servers older than that."
    )


def _tiers(result: Diagnosis) -> Iterator[str]:
    if result.tier_useful:
        yield ""
        what = ", ".join(result.brings.get(TIER, ())) or "PJSIP endpoints, contacts and AORs as they are now"
        yield from _wrapped(
            f"Tier `system` (write = {BASE},{TIER}) adds {what}. Its risk: whoever has the secret {RISKS[TIER]}."
        )


def _end(result: Diagnosis) -> Iterator[str]:
    if not result.faults:
        yield "Nothing to fix."
        return
    yield "To fix:"
    for text in result.faults:
        yield from _wrapped(text, "  - ", "    ")


def _row(name: str, state: str, read: str, note: str) -> str:
    return f"{name:<{_NAME}}{state:<{_STATE}}{read:<{_READ}}{note}".rstrip()


def _rows(name: str, state: str, read: str, notes: Sequence[str]) -> Iterator[str]:
    width = WIDTH - _NAME - _STATE - _READ
    lines = [line for note in notes for line in textwrap.wrap(note, width, subsequent_indent="  ")]
    yield _row(name, state, read, lines[0] if lines else "")
    yield from (_row("", "", "", line) for line in lines[1:])


def _wrapped(text: str, first: str = "", following: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False, break_long_words=False
    )
