"""YAML text → plain values, with the place of every key and value.

Made from PyYAML's events, not by its loaders: those accept duplicate keys in silence, recurse (deep nesting ends
them), and expand aliases without bound. YAML 1.1 reads `no` as false, `0755` as 493 and `5038:1` as 302281: such
scalars become `Odd`, which no setting accepts, so that the person is asked to say what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn

import yaml
from yaml.resolver import Resolver

from ami_exporter.config.faults import ConfigErrors, Fault, Path
from ami_exporter.config.scalars import Odd
from ami_exporter.config.yamlfaults import Quoted, explain, probable_mistake

__all__ = ["Node", "Odd", "locate", "parse", "scalar"]

MAX_DEPTH: Final = 16
"""Levels of nesting; the deepest setting (a custom label's map) needs 9."""
MAX_NODES: Final = 500_000
"""Values after aliases are expanded: 5,000 targets of 100 settings each; stops "billion laughs"."""

Plain = object

_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_MAX_DIGITS: Final = 30
"""No number here needs more; Python refuses to print integers of thousands of digits."""
_TAG: Final = "tag:yaml.org,2002:"
_NO_TAG: Final = "found a YAML tag (!), expected a plain value: if it is text, put the text in quotes"
_NO_ALIAS: Final = "found an anchor (&) that no alias (*) refers to: if it is text, put the text in quotes"
_PLAIN_BOOL: Final = {"true": True, "false": False}
_YES: Final = ("yes", "on", "y")
_MEANS: Final = {
    "int": "YAML 1.1 reads it as another number",
    "float": "YAML 1.1 reads it as another number",
    "timestamp": "YAML reads it as a date",
    "merge": "a merge key",
    "value": "a YAML 1.1 default key",
}


@dataclass(slots=True)
class Node:
    """One value with its place (counted from 1).

    `keys`: where each key of a mapping stands; `size`: values in it, aliases expanded; `pending`: while it is read,
    the key that waits for its value. `warnings`, of the root: valid YAML that is probably a mistake.
    """

    line: int
    column: int
    value: Plain = None
    children: dict[str | int, Node] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1
    pending: str | None = None
    warnings: list[Fault] = field(default_factory=list)


def parse(file: str, text: str) -> Node:
    """Parse one YAML document.

    Raises ConfigErrors: syntax, duplicate keys, tags, recursion, several documents, bounds exceeded.
    """
    composer = _Composer(file, text)
    try:
        for event in _events(text):
            composer.take(event)
        composer.check_anchors()
    except yaml.MarkedYAMLError as error:
        (line, column), message = explain(text, error, composer.quoted)
        raise ConfigErrors([*composer.faults, Fault(file, line, column, message)]) from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise ConfigErrors([*composer.faults, Fault(file, 0, 0, f"not valid YAML: {first}")]) from None
    except UnicodeEncodeError:
        raise ConfigErrors([Fault(file, 0, 0, "not valid YAML: characters that UTF-8 does not have")]) from None
    if composer.faults:
        raise ConfigErrors(composer.faults)
    root = composer.root or Node(1, 1)
    root.warnings = composer.warnings
    return root


def locate(root: Node, path: Path, *, key: bool = False) -> tuple[int, int]:
    """Find the place of a value (or, with `key`, of its key): of the deepest part of the path that is written."""
    node = root
    place = (root.line, root.column)
    for index, step in enumerate(path):
        last = index == len(path) - 1
        if last and key and isinstance(step, str) and step in node.keys:
            return node.keys[step]
        if step not in node.children:
            break
        node = node.children[step]
        place = (node.line, node.column)
    return place


def _events(text: str) -> Iterator[yaml.Event]:
    loader: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.parse(text, Loader=loader)


class _Composer:
    """Builds the tree event by event; its stack is a list, so depth is ours to bound."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.quoted: Quoted | None = None
        """The last text in quotes: an open quote ends at the next one, and only then the parser stumbles."""
        self._lines = text.split("\n")
        self._unused: dict[str, Fault] = {}
        """Anchors on texts, until an alias refers to them."""
        self._stack: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._open: set[str] = set()
        self._anchor_of: dict[int, str] = {}
        self._documents = 0
        self._resolve: Callable[..., str] = Resolver().resolve

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open_collection(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close_collection()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "found a second YAML document, expected one: remove the line `---`")

    def _stop(self, event: yaml.Event, message: str) -> NoReturn:
        line, column = _place(event)
        raise ConfigErrors([*self.faults, Fault(self.file, line, column, message)])

    def _fault(self, event: yaml.Event, message: str) -> None:
        self.faults.append(Fault(self.file, *_place(event), message))

    def _alias(self, event: yaml.AliasEvent) -> None:
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            why = "that contains itself" if event.anchor in self._open else "without an anchor"
            self._stop(event, f"found an alias (*) {why}: if it is text, put the text in quotes")
        self._unused.pop(event.anchor or "", None)
        self._place_child(event, anchored)

    def check_anchors(self) -> None:
        """Refuse anchors on texts that nothing refers to: a secret that begins with & would lose its beginning."""
        self.faults += self._unused.values()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        parent = self._stack[-1] if self._stack else None
        if parent is not None and isinstance(parent.value, dict) and parent.pending is None:
            self._key(event, parent)
            return
        node = Node(*_place(event))
        tag: str = event.tag or self._resolve(yaml.ScalarNode, event.value, event.implicit)
        if event.tag and event.tag != _TAG + "str":
            self._fault(event, _NO_TAG)
        if event.style:
            self.quoted = Quoted(_place(event), _end(event))
        key = parent.pending if parent else None
        if warning := probable_mistake(key, event.value, self._lines, _end(event), quoted=bool(event.style)):
            self.warnings.append(Fault(self.file, *_place(event), warning))
        node.value = event.value if event.tag else scalar(tag.removeprefix(_TAG), event.value)
        if event.anchor:
            self._anchors[event.anchor] = node
            self._unused[event.anchor] = Fault(self.file, *_place(event), _NO_ALIAS)
        self._place_child(event, node)

    def _key(self, event: yaml.ScalarEvent, parent: Node) -> None:
        key = event.value
        if key == "<<" and not event.style:
            self._fault(event, "found a merge key (<<), expected a setting: put what targets share under `defaults:`")
        elif key in parent.keys:
            line, _ = parent.keys[key]
            self._fault(event, f"found a key a second time (first on line {line}): remove one")
        else:
            parent.keys[key] = _place(event)
        parent.pending = key

    def _open_collection(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        parent = self._stack[-1] if self._stack else None
        if parent is not None and isinstance(parent.value, dict) and parent.pending is None:
            self._stop(event, "found a list or mapping as a key, expected a name")
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"found more than {MAX_DEPTH} levels of nesting")
        if event.tag:
            self._fault(event, _NO_TAG)
        node = Node(*_place(event))
        node.value = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._open.add(event.anchor)
            self._anchor_of[id(node)] = event.anchor
            self._anchors.pop(event.anchor, None)
        self._stack.append(node)

    def _close_collection(self) -> None:
        node = self._stack.pop()
        anchor = self._anchor_of.pop(id(node), None)
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = node
        self._place_child(None, node)

    def _place_child(self, event: yaml.Event | None, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            parent.children[len(parent.value)] = node
            parent.value.append(node.value)
        elif isinstance(parent.value, dict):
            if parent.pending is None:
                if event is not None:
                    self._stop(event, "found an alias (*) as a key, expected a name: put text in quotes")
                return
            parent.children[parent.pending] = node
            parent.value[parent.pending] = node.value
            parent.pending = None
        parent.size += node.size
        if parent.size > MAX_NODES:
            fault = Fault(self.file, parent.line, parent.column, f"found more than {MAX_NODES} values")
            raise ConfigErrors([*self.faults, fault])


def scalar(kind: str, written: str) -> Plain:
    """Turn a scalar into the value a person meant, or `Odd`; kind: what YAML 1.1 takes it for."""
    if kind == "null":
        return None
    if kind == "str":
        return written
    if kind == "bool" and written.lower() in _PLAIN_BOOL:
        return _PLAIN_BOOL[written.lower()]
    if kind in ("int", "float") and len(written) <= _MAX_DIGITS and _PLAIN_NUMBER.fullmatch(written):
        return int(written) if kind == "int" else float(written)
    if kind == "bool":
        return Odd(written, f"YAML 1.1 reads it as {str(written.lower() in _YES).lower()}")
    return Odd(written, _MEANS.get(kind, "not a plain value"))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _end(event: yaml.Event) -> tuple[int, int]:
    mark = event.end_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
