"""docs/fields.md: actions, items, events and their fields, made of what real servers sent (recorded_fields.py).

`python -m tests.support.fields_page` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ami_exporter.ami.actions import ACTIONS, AnswerForm
from ami_exporter.ami.event_classes import EVENT_CLASSES, EVENT_NAMES
from ami_exporter.ami.header_orders import ORDERS, Era
from ami_exporter.config.labelfields import may_be_label
from tests.support.documents import REPO
from tests.support.recorded_fields import EVERYWHERE, MAJORS, OF_TEST_BUILDS, recorded

PAGE: Final = REPO / "docs" / "fields.md"
CHANNEL: Final = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)
"""What every event about a channel begins with; those about two have the second ones with a prefix."""
NEVER: Final = frozenset({"userevent"})
"""Events whose fields are the dialplan's."""
BEFORE: Final = frozenset({*(name.lower() for name in EVERYWHERE), "file", "line", "func"})
KEPT: Final = {"AuthDetail": ("ObjectName",)}
"""Items of which the decoder drops all fields but these: the others are passwords."""

_HEAD = """# Actions, items, events and their fields

Made by `python -m tests.support.fields_page` of what Asterisk {versions} sent while calls of every kind went
through them; do not edit by hand. For the [metrics of your own](custom-metrics.md) that `custom:` makes of them.

A field in **bold** may be a label as it stands; any other needs a `map`, or `unsafe_labels: true`. A number behind a
field, an item or an event: that version alone sent it. Upper and lower case do not matter in the configuration.

**channel** stands for {channel}.
`Dest`-channel stands for the same with `Dest` before each, and so on. Where a channel has a tenant, newer servers add
`Tenantid`.

`ami-exporter doctor` names a field of your configuration that no item on your own server has.

## Lists

"""
_EVENTS = """
## Events

By the class of `read=` that they need. An `event:` that is not here may be counted as well, those of third-party
modules, too.

"""


def page() -> str:
    """The whole page."""
    versions = [re.split("[~+]", recorded(major).version)[0] for major in MAJORS]
    channel = ", ".join(_field(name, name, "") for name in CHANNEL)
    rows = [_HEAD.format(versions=" and ".join(versions), channel=channel)]
    rows += [
        "| action | item | fields |\n|---|---|---|\n",
        *_lists(),
        _EVENTS,
        "| class | event | fields |\n|---|---|---|\n",
    ]
    return "".join([*rows, *_events(), "\n", *_others()])


def _lists() -> Iterator[str]:
    by_version = {major: recorded(major).lists for major in MAJORS}
    for name, spec in ACTIONS.items():
        if spec.form is AnswerForm.COMMAND:
            continue
        kinds = dict.fromkeys(kind for lists in by_version.values() for kind in lists.get(name, {}))
        for kind in kinds or spec.items or ("",):
            sent = {
                major: [field for field in lists[name][kind] if field in KEPT.get(kind, (field,))]
                for major, lists in by_version.items()
                if kind in lists.get(name, {})
            }
            yield f"| `{name}` | {_name(kind, sent)} | {_fields(kind, sent) or _by_source(kind)} |\n"


def _events() -> Iterator[str]:
    by_version = {major: recorded(major).events for major in MAJORS}
    names = {name for events in by_version.values() for name in events if name.lower() in EVENT_CLASSES}
    for name in sorted(names, key=lambda name: (_class(name), name)):
        sent = {major: events[name] for major, events in by_version.items() if name in events}
        if name.lower() in NEVER:
            sent = {major: [one for one in fields if one in (*CHANNEL, "UserEvent")] for major, fields in sent.items()}
        more = ", and what the dialplan sends" if name.lower() in NEVER else ""
        yield f"| {_class(name)} | {_name(name, sent)} | {_fields(name, sent)}{more} |\n"


def _others() -> Iterator[str]:
    """Events that are known and were not recorded."""
    seen = {name.lower() for major in MAJORS for name in (*recorded(major).events, *OF_TEST_BUILDS)}
    yield "Known as well, and not met in the recording:\n\n"
    for class_ in sorted({_class(name) for name in EVENT_NAMES.values()}):
        names = [f"`{name}`" for key, name in EVENT_NAMES.items() if key not in seen and _class(name) == class_]
        if names:
            yield f"- {class_}: {', '.join(sorted(names))}\n"


def _class(event: str) -> str:
    return ",".join(sorted(EVENT_CLASSES[event.lower()]))


def _name(kind: str, sent: Mapping[int, Sequence[str]]) -> str:
    return f"`{kind}`{_only(sent)}" if kind else "the answer"


def _only(versions: Iterable[int]) -> str:
    """The one version that has something; empty when all have it, or none is known to."""
    known = sorted(versions)
    return f" ({known[0]})" if len(known) == 1 else ""


def _fields(kind: str, sent: Mapping[int, Sequence[str]]) -> str:
    spelled: dict[str, str] = {}
    for major in sorted(sent, reverse=True):
        for name in sent[major]:
            spelled.setdefault(name.lower(), name)
    words = []
    for prefix in _channels(spelled):
        words.append("**channel**" if not prefix else f"`{prefix}`-channel")
        for name in CHANNEL:
            del spelled[f"{prefix}{name}".lower()]
    for key, name in spelled.items():
        having = [major for major in sent if key in {one.lower() for one in sent[major]}]
        words.append(_field(kind, name, _only(having) if len(sent) > 1 else ""))
    return ", ".join(words)


def _by_source(kind: str) -> str:
    """The fields of an item that was not recorded, as the decoder knows them: from Asterisk's source, in lower case."""
    orders = ORDERS[Era.MODERN].get(kind.lower(), ())
    names = dict.fromkeys(place.name for order in orders for place in order if place.name not in BEFORE)
    return ", ".join(_field(kind, name, "") for name in names) + " (by its source)" if names else "not recorded"


def _channels(spelled: Mapping[str, str]) -> list[str]:
    """The prefixes of the channels that are there whole."""
    first = CHANNEL[0].lower()
    prefixes = [name[: -len(first)] for key, name in spelled.items() if key.endswith(first)]
    return [prefix for prefix in prefixes if all(f"{prefix}{name}".lower() in spelled for name in CHANNEL)]


def _field(kind: str, name: str, suffix: str) -> str:
    word = f"`{name}`"
    return f"{f'**{word}**' if may_be_label(kind, name.lower()) else word}{suffix}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
