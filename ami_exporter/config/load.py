"""The loader: YAML text → Settings, or every fault at once with its place."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from ami_exporter.config import yamlnodes
from ami_exporter.config.access import why_unreadable
from ami_exporter.config.amiflags import DEFAULT_TARGET, AmiFlags
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.external import read_external
from ami_exporter.config.faults import ConfigErrors, Fault
from ami_exporter.config.faults import Path as Steps
from ami_exporter.config.kinds import KEY, Outside, Position, kinds_along
from ami_exporter.config.merge import merge
from ami_exporter.config.scalars import found
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import DOCUMENT, TARGET_FORM, Settings
from ami_exporter.config.yamlfaults import section
from ami_exporter.config.yamlnodes import Node

MAX_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a configuration file; 5,000 targets of 20 lines have 2 MB."""


def load_file(path: str, catalogue: Catalogue, flags: AmiFlags | None = None) -> Settings:
    """Read and load a file. flags: those of --ami.*, if they make a target. Raises ConfigErrors."""
    try:
        data = catalogue.read_file(Path(path), MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigErrors([Fault(path, 0, 0, f"cannot be read: {why_unreadable(error, Path(path))}")]) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        kind = "UTF-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "bytes that are not UTF-8"
        raise ConfigErrors([Fault(path, line, 1, f"found {kind}, expected UTF-8 text")]) from None
    return load(path, text, catalogue, flags)


def load(path: str, text: str, catalogue: Catalogue, flags: AmiFlags | None = None) -> Settings:
    """Load a configuration's text; path: for messages, and for the folder that relative paths start from.

    flags: those of --ami.*, which make the one target `default`; then `targets:` in the file is a fault. Raises
    ConfigErrors, and nothing else, whatever the text.
    """
    if len(text) > MAX_BYTES:
        raise ConfigErrors([Fault(path, 0, 0, f"found more than {MAX_BYTES} bytes, expected a smaller file")])
    root = yamlnodes.parse(path, text)
    if not isinstance(root.value, dict):
        message = f"found {found(root.value)}, expected a mapping with targets: `targets: {{pbx1: {TARGET_FORM}}}`"
        (line, column), message = section(text.split("\n")) or ((root.line, root.column), message)
        raise ConfigErrors([Fault(path, line, column, message)])
    return _Loading(path, root, root.value, catalogue, flags).settings()


class _Loading:
    def __init__(
        self, path: str, root: Node, plain: dict[str, object], catalogue: Catalogue, flags: AmiFlags | None
    ) -> None:
        self.path = path
        self.root = root
        self.catalogue = catalogue
        self.flags = flags
        self.faults: set[Fault] = set()
        self.warnings: list[Fault] = list(root.warnings)
        self.merged: dict[str, object] = dict(plain)
        self.merged = self._merged(plain)

    def settings(self) -> Settings:
        """Check everything and raise all faults together."""
        empty = set(_nulls(self.merged, ()))
        for steps in empty:
            self._fault(steps, "found nothing, expected a value: write one or remove the key")
        outside = self._outside()
        self._names_twice()
        self._commands_without_user()

        def note(steps: Steps, message: str) -> None:
            if steps not in empty:
                self._fault(steps, message)

        settings = DOCUMENT.read(self.merged, Position((), self.catalogue, note, outside))
        if self.faults or not isinstance(settings, Settings):
            raise ConfigErrors(self.faults)
        return replace(settings, warnings=tuple(self.warnings))

    def _merged(self, plain: dict[str, object]) -> dict[str, object]:
        merged = dict(plain)
        defaults = plain.get("defaults")
        targets = plain.get("targets")
        if self.flags is not None:
            if "targets" in plain:
                beside = self.flags.source("address")
                self._fault(("targets",), f"found targets beside {beside}, expected one of them", at_key=True)
            targets = {DEFAULT_TARGET: self.flags.plain()}
        elif not isinstance(targets, dict) or not targets:
            if targets is None or isinstance(targets, dict):
                self._fault(("targets",), "found no targets, expected at least one PBX")
            return merged
        merged["targets"] = {name: merge(defaults, target) for name, target in targets.items()}
        return merged

    def _outside(self) -> Outside:
        """Read what the targets point to."""
        targets, folder = self.merged.get("targets"), Path(self.path).parent
        secrets: dict[Steps, Secret] = {}
        names: dict[str, dict[str, str]] = {}
        for name, target in targets.items() if isinstance(targets, dict) else ():
            if not isinstance(target, dict):
                continue
            external = read_external(target, folder, self.catalogue)
            for steps, message in external.wrong:
                self._fault(("targets", name, *steps), message, at_key=not steps)
            self.warnings += [self._located(("targets", name, *steps), message) for steps, message in external.odd]
            self.faults.update(external.elsewhere)
            secrets |= {("targets", name, *steps): secret for steps, secret in external.secrets.items()}
            names[name] = external.names
        return Outside(folder, secrets, names)

    def _names_twice(self) -> None:
        """Refuse a custom metric twice in one entry, and two entries that make one metric differently."""
        seen: dict[str, tuple[Steps, object]] = {}
        for steps, name, shape in _custom_metrics(self.merged.get("custom")):
            first, its_shape = seen.setdefault(name, (steps, shape))
            if first is steps:
                continue
            again = f"found a name again (first is {name_of(first)})"
            if first[:2] == steps[:2]:
                self._fault(steps, f"{again}, expected each metric once in an entry")
            elif shape != its_shape:
                self._fault(steps, f"{again}, expected the same type, help, labels and buckets, or another name")

    def _commands_without_user(self) -> None:
        """Refuse console commands if no target has a command user."""
        targets, custom = self.merged.get("targets"), self.merged.get("custom")
        known = targets.values() if isinstance(targets, dict) else ()
        if any(isinstance(target, dict) and "command_user" in target for target in known):
            return
        for index, entry in enumerate(custom if isinstance(custom, list) else ()):
            if isinstance(entry, dict) and "command" in entry:
                message = "found a console command and no target with command_user, expected one: "
                self._fault(("custom", index, "command"), f"{message}commands need a user of their own")

    def _fault(self, steps: Steps, message: str, *, at_key: bool = False) -> None:
        """Note a fault at a value, or `at_key` at its key."""
        self.faults.add(self._located(steps, message, at_key=at_key))

    def _located(self, steps: Steps, message: str, *, at_key: bool = False) -> Fault:
        """Give a message its place; a path that ends with KEY is named by its parent."""
        of_key = steps[-1:] == (KEY,)
        steps, root = self._written(steps[:-1] if of_key else steps)
        if root is None and self.flags is not None:
            return Fault(self.flags.source(str(steps[2]) if steps[2:] else ""), 0, 0, message)
        line, column = yamlnodes.locate(self.root, steps, key=at_key or of_key)
        name = name_of(self._public(steps[:-1] if of_key else steps))
        return Fault(self.path, line, column, f"{name}: {message}" if name else message)

    def _public(self, steps: Steps) -> Steps:
        """Cut a path before a name that may be a secret: with wrong indentation a secret looks like a target."""
        if steps[:1] == ("targets",) and steps[1:] and not isinstance(_value_at(self.merged, steps[:2]), dict):
            return steps[:1]
        if steps[2:3] == ("collectors",) and steps[3:] and steps[3] not in self.catalogue.collectors:
            return steps[:3]
        if steps[2:3] == ("canaries",) and steps[3:] and not isinstance(_value_at(self.merged, steps[:4]), dict):
            return steps[:3]
        return steps

    def _written(self, steps: Steps) -> tuple[Steps, Node | None]:
        """Find where a merged setting is written: under its target, under defaults, or in a flag."""
        shared = ("defaults", *steps[2:])
        if steps[:1] == ("targets",) and shared[1:] and not _has(self.root, steps) and _has(self.root, shared):
            return shared, self.root
        if steps[:2] == ("targets", DEFAULT_TARGET) and self.flags is not None:
            return steps, None
        return steps, self.root


def name_of(steps: Steps) -> str:
    """Write a path as people do: targets.pbx1.trunks[0].name.

    It ends before the first key that is neither a setting nor a public name, because a key below `secret:` may be the
    secret.
    """
    text = ""
    for kind, step in zip(kinds_along(DOCUMENT, steps), steps, strict=False):
        if isinstance(step, int):
            text += f"[{step}]"
        elif kind is not None and kind.shows(step):
            text += f".{step}"
        else:
            break
    return text.removeprefix(".")


def _custom_metrics(custom: object) -> Iterator[tuple[Steps, str, object]]:
    """Yield path, name and shape of each well-formed metric."""
    for index, entry in enumerate(custom if isinstance(custom, list) else ()):
        metrics = entry.get("metrics") if isinstance(entry, dict) else None
        for number, metric in enumerate(metrics if isinstance(metrics, list) else ()):
            name = metric.get("name") if isinstance(metric, dict) else None
            if isinstance(metric, dict) and isinstance(name, str):
                labels = metric.get("labels")
                names = list(labels) if isinstance(labels, dict) else []
                shape = (metric.get("type"), metric.get("help"), names, metric.get("buckets"))
                yield ("custom", index, "metrics", number, "name"), name, shape


def _value_at(tree: object, steps: Steps) -> object:
    for step in steps:
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree


def _has(root: Node, steps: Steps) -> bool:
    node: Node | None = root
    for step in steps:
        node = node.children.get(step) if node else None
    return node is not None


def _nulls(value: object, steps: Steps) -> Iterator[Steps]:
    if value is None:
        yield steps
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _nulls(child, (*steps, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _nulls(child, (*steps, index))
