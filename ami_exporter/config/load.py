"""The loader: YAML text → Settings, or every fault at once with its place."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ami_exporter.config import yamlnodes
from ami_exporter.config.access import why_unreadable
from ami_exporter.config.amiflags import DEFAULT_TARGET, AmiFlags
from ami_exporter.config.build import build
from ami_exporter.config.canarydoc import CanaryDoc
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.commanddoc import FieldsDoc, ReadDoc, TableDoc
from ami_exporter.config.customdoc import CustomDoc, LabelDoc, MetricDoc, ValueDoc
from ami_exporter.config.document import CollectorDoc, Document, LimitsDoc, TargetDoc, TlsDoc, TrunkDoc
from ami_exporter.config.external import External, read_external
from ami_exporter.config.faults import ConfigErrors, Fault, suggest
from ami_exporter.config.faults import Path as Steps
from ami_exporter.config.forms import ANY, form_of, moved_to, placed, unlike
from ami_exporter.config.merge import merge
from ami_exporter.config.scalar_types import WithinError
from ami_exporter.config.scalars import TARGET_NAME, found
from ami_exporter.config.target_settings import Settings
from ami_exporter.config.userdoc import AmiUserDoc
from ami_exporter.config.yamlnodes import Node

MAX_BYTES: Final = 4 * 1024 * 1024
"""A configuration file; 5,000 targets of 20 lines have 2 MB."""
OTHER_WORDS: Final = {
    "host": "address",
    "server": "address",
    "user": "username",
    "login": "username",
    "password": "secret",
    "password_file": "secret_file",
    "interval": "min_interval",
    "ca": "ca_file",
    "insecure_skip_verify": "verify",
}
"""Keys that people bring from other programs."""


def load_file(path: str, catalogue: Catalogue, flags: AmiFlags | None = None) -> Settings:
    """Read and load a file; flags: what --ami.* gave, where they make a target. Raises ConfigErrors."""
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
        message = f"found {found(root.value)}, expected a mapping with targets"
        raise ConfigErrors([Fault(path, root.line, root.column, message)])
    return _Loading(path, root, root.value, catalogue, flags).settings()


class _Loading:
    def __init__(
        self, path: str, root: Node, plain: dict[str, object], catalogue: Catalogue, flags: AmiFlags | None
    ) -> None:
        self.path = path
        self.root = root
        self.catalogue = catalogue
        self.flags = flags
        self.faults: list[Fault] = []
        self.merged: dict[str, object] = dict(plain)
        self.merged = self._merged(plain)

    def settings(self) -> Settings:
        """Check everything, then build; all faults are raised together."""
        nulls = set(_nulls(self.merged, ()))
        for steps in nulls:
            self._fault(steps, "found nothing, expected a value: write one or remove the key")
        externals = self._externals()
        self._names_twice()
        self._commands_without_user()
        document: Document | None = None
        try:
            document = Document.model_validate(self.merged, context=self.catalogue)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                if details["loc"] not in nulls:
                    self._model_fault(details)
        if self.faults or document is None:
            raise ConfigErrors(set(self.faults))
        return replace(build(document, externals), warnings=tuple(self.root.warnings))

    def _merged(self, plain: dict[str, object]) -> dict[str, object]:
        merged = dict(plain)
        defaults = plain.get("defaults")
        targets = plain.get("targets")
        if self.flags is not None:
            if "targets" in plain:
                beside = self.flags.source("address")
                self._fault(("targets",), f"found targets beside {beside}, expected one of them", key=True)
            targets = {DEFAULT_TARGET: self.flags.plain()}
        elif not isinstance(targets, dict) or not targets:
            if targets is None or isinstance(targets, dict):
                self._fault(("targets",), "found no targets, expected at least one PBX")
            return merged
        merged["targets"] = {name: merge(defaults, target) for name, target in targets.items()}
        return merged

    def _externals(self) -> dict[str, External]:
        targets = self.merged.get("targets")
        if not isinstance(targets, dict):
            return {}
        externals = {}
        for name, target in targets.items():
            if not isinstance(target, dict):
                continue
            external = read_external(target, Path(self.path).parent, self.catalogue)
            for steps, message in external.wrong:
                self._fault(("targets", name, *steps), message, key=not steps)
            self.faults.extend(external.elsewhere)
            externals[name] = external
        return externals

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
        """Refuse console commands that no target has a user for."""
        targets, custom = self.merged.get("targets"), self.merged.get("custom")
        known = targets.values() if isinstance(targets, dict) else ()
        if any(isinstance(target, dict) and "command_user" in target for target in known):
            return
        for index, entry in enumerate(custom if isinstance(custom, list) else ()):
            if isinstance(entry, dict) and "command" in entry:
                message = "found a console command and no target with command_user, expected one: "
                self._fault(("custom", index, "command"), f"{message}commands need a user of their own")

    def _model_fault(self, details: ErrorDetails) -> None:
        steps, message = details["loc"], details["msg"]
        value, error = details["input"], details.get("ctx", {}).get("error")
        if isinstance(error, WithinError):
            steps = (*steps, *error.path)
        if isinstance(error, ValueError):
            message = str(error)
        elif details["type"] == "extra_forbidden":
            self._fault(steps, self._unknown(steps, value), key=True, parent=True)
            return
        elif details["type"] == "missing":
            self._fault(steps[:-1], f"found no {steps[-1]}, expected {steps[-1]}: {_about(steps)}")
            return
        elif details["type"] in _EXPECTED:
            message = f"found {found(value)}, expected {_EXPECTED[details['type']]}{form_of(steps)}{unlike(value)}"
        else:
            message = f"found {found(value)}, expected another value"
        if steps and steps[-1] == "[key]":
            self._fault(steps[:-1], message, key=True, parent=True)
        else:
            self._fault(steps, message)

    def _unknown(self, steps: Steps, value: object) -> str:
        key, model = str(steps[-1]), _exact_model(steps[:-1])
        near = not steps[:-1] and suggest(key, Document.model_fields)
        belongs = "" if near else placed(key, steps[:-1], value, {*TargetDoc.model_fields, *OTHER_WORDS, "port"})
        if model is TargetDoc:
            belongs = moved_to(key, self.catalogue.collectors) or belongs
        return f"found an unknown key{belongs}" if belongs and model in (TargetDoc, Document) else _unknown(steps)

    def _fault(self, steps: Steps, message: str, *, key: bool = False, parent: bool = False) -> None:
        """Note a fault at a value, or with `key` at its key, under the name of its path or of the parent's."""
        steps, root = self._written(steps)
        if root is None and self.flags is not None:
            self.faults.append(Fault(self.flags.source(str(steps[2]) if steps[2:] else ""), 0, 0, message))
            return
        root = self.root
        line, column = yamlnodes.locate(root, steps, key=key)
        name = name_of(self._public(steps[:-1] if parent else steps))
        self.faults.append(Fault(self.path, line, column, f"{name}: {message}" if name else message))

    def _public(self, steps: Steps) -> Steps:
        """Leave out a name that is none: a secret with too few blanks before it reads like a target or a collector."""
        if steps[:1] == ("targets",) and steps[1:] and not isinstance(_value_at(self.merged, steps[:2]), dict):
            return steps[:1]
        if steps[2:3] == ("collectors",) and steps[3:] and steps[3] not in self.catalogue.collectors:
            return steps[:3]
        if steps[2:3] == ("canaries",) and steps[3:] and not isinstance(_value_at(self.merged, steps[:4]), dict):
            return steps[:3]
        return steps

    def _written(self, steps: Steps) -> tuple[Steps, Node | None]:
        """Tell where a merged setting is really written: under its target, under defaults, or in a flag."""
        shared = ("defaults", *steps[2:])
        if steps[:1] == ("targets",) and shared[1:] and not _has(self.root, steps) and _has(self.root, shared):
            return shared, self.root
        if steps[:2] == ("targets", DEFAULT_TARGET) and self.flags is not None:
            return steps, None
        return steps, self.root


_EXPECTED: Final = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "too_short": "at least one entry",
}


_MODELS: Final[tuple[tuple[Steps, type[BaseModel]], ...]] = (
    ((), Document),
    (("targets", ANY), TargetDoc),
    (("targets", ANY, "tls"), TlsDoc),
    (("targets", ANY, "collectors", ANY), CollectorDoc),
    (("targets", ANY, "trunks", ANY), TrunkDoc),
    (("targets", ANY, "limits"), LimitsDoc),
    (("targets", ANY, "command_user"), AmiUserDoc),
    (("targets", ANY, "canaries", ANY), CanaryDoc),
    (("targets", ANY, "canaries", ANY, "user"), AmiUserDoc),
    (("custom", ANY), CustomDoc),
    (("custom", ANY, "read"), ReadDoc),
    (("custom", ANY, "read", "fields"), FieldsDoc),
    (("custom", ANY, "read", "table"), TableDoc),
    (("custom", ANY, "metrics", ANY), MetricDoc),
    (("custom", ANY, "metrics", ANY, "labels", ANY), LabelDoc),
    (("custom", ANY, "metrics", ANY, "value"), ValueDoc),
)


_NAMED: Final[tuple[Steps, ...]] = (
    ("targets",),
    ("targets", ANY, "collectors"),
    ("targets", ANY, "canaries"),
    ("targets", ANY, "destinations"),
    ("custom", ANY, "metrics", ANY, "labels"),
)
"""Mappings whose keys are names that metrics and URLs show."""


def _matches(pattern: Steps, steps: Steps) -> bool:
    return len(pattern) == len(steps) and all(want in (ANY, have) for want, have in zip(pattern, steps, strict=True))


def _exact_model(steps: Steps) -> type[BaseModel] | None:
    if steps[:1] == ("defaults",):
        steps = ("targets", ANY, *steps[1:])
    return next((model for pattern, model in _MODELS if _matches(pattern, steps)), None)


def _model_at(steps: Steps) -> type[BaseModel]:
    """Find the model of the mapping at a path."""
    return _exact_model(steps) or Document


def _about(steps: Steps) -> str:
    field = _model_at(steps[:-1]).model_fields.get(str(steps[-1]))
    return (field.description if field else None) or "it cannot be left out"


def _unknown(steps: Steps) -> str:
    key = str(steps[-1])
    valid = list(_model_at(steps[:-1]).model_fields)
    near = f'; did you mean "{OTHER_WORDS[key]}"?' if OTHER_WORDS.get(key) in valid else suggest(key, valid)
    return f"found an unknown key, expected one of: {', '.join(valid)}{near}"


def name_of(steps: Steps) -> str:
    """Write a path as people do: targets.pbx1.trunks[0].name.

    It ends before the first key that is neither a setting nor a name that is public anyway: below `secret:` a key may
    be the secret.
    """
    text = ""
    for index, step in enumerate(steps):
        if isinstance(step, int):
            text += f"[{step}]"
        elif _may_be_shown(steps[:index], step):
            text += f".{step}"
        else:
            break
    return text.removeprefix(".")


def _may_be_shown(parent: Steps, key: str) -> bool:
    model = _exact_model(parent)
    if model is not None:
        return key in model.model_fields
    shared = ("targets", ANY, *parent[1:]) if parent[:1] == ("defaults",) else parent
    named = any(_matches(pattern, shared) for pattern in _NAMED)
    return named and re.fullmatch(TARGET_NAME, key) is not None


def _custom_metrics(custom: object) -> Iterator[tuple[Steps, str, object]]:
    """List each metric's place, name and shape, so far as they are written well."""
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
