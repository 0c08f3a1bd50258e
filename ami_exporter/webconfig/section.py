"""Reads values from web.config.file: each read checks the type and records faults with their position."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from ami_exporter.config.faults import Fault, either, shorten, suggest
from ami_exporter.config.yamlnodes import Node, Odd

# Go's YAML library accepts YAML 1.1 booleans, and existing files use them.
_YES_NO = {"yes": True, "on": True, "y": True, "no": False, "off": False, "n": False}

# As Go's time.ParseDuration reads them: "1s", "1m30s", "1.5h".
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


@dataclass(slots=True)
class Section:
    """One mapping in the file; an absent one reads as empty. All sections of a file share one list of faults."""

    file: str
    name: str
    node: Node
    faults: list[Fault] = field(default_factory=list)

    def section(self, key: str) -> "Section":
        """Return a mapping inside this one."""
        node = self.node.children.get(key)
        if node is None or node.value is None:
            return Section(self.file, key, Node(*self.place(key), value={}), self.faults)
        if not isinstance(node.value, dict):
            self.fault(key, f"expected settings under it, found {_shown(node.value)}")
            return Section(self.file, key, Node(node.line, node.column, value={}), self.faults)
        return Section(self.file, key, node, self.faults)

    def known(self, keys: Collection[str]) -> None:
        """Record a fault for every key that is not one of these."""
        for key, (line, column) in self.node.keys.items():
            if key not in keys:
                where = f" in {self.name}" if self.name else ""
                message = f'unknown key "{key}"{where}, expected {either(sorted(keys))}{suggest(key, keys)}'
                self.faults.append(Fault(self.file, line, column, message))

    def place(self, key: str) -> tuple[int, int]:
        """Return the position of the key's value, or of the section if the key is absent."""
        node = self.node.children.get(key, self.node)
        return node.line, node.column

    def fault(self, key: str, message: str) -> None:
        """Record a fault at the key's position."""
        self.faults.append(Fault(self.file, *self.place(key), f"{key}: {message}"))

    def text(self, key: str) -> str:
        """Read a string; "" if absent. Numbers and booleans are read as written, as in Go."""
        return self._text(key, self.written(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of strings; empty if absent."""
        value = self.written(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fault(key, f"expected a list, found {_shown(value)}")
            return ()
        return tuple(self._text(key, item) for item in value)

    def flag(self, key: str, default: bool) -> bool:
        """Read true or false."""
        value = self.written(key)
        if isinstance(value, Odd):
            value = _YES_NO.get(value.written.lower(), value)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"expected true or false, found {_quoted(value)}")
            return default
        return value

    def whole(self, key: str) -> int:
        """Read a whole number of 0 or more; 0 if absent."""
        value = self.written(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fault(key, f"expected a whole number, 0 or more, found {_shown(value)}")
            return 0
        return value

    def seconds(self, key: str) -> float:
        """Read a duration in Go's notation; 0 if absent."""
        value = self.written(key)
        if value is None or (value == 0 and not isinstance(value, bool)):
            return 0.0
        written = value if isinstance(value, str) else ""
        if written == "0":
            return 0.0
        if not written or _PART.sub("", written):
            self.fault(key, f'expected a duration such as "1s" or "100ms", found {_quoted(value)}')
            return 0.0
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(written))

    def written(self, key: str) -> object:
        """Return the value as parsed from YAML; None if absent."""
        node = self.node.children.get(key)
        return None if node is None else node.value

    def _text(self, key: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, Odd):
            return value.written
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict | list):
            self.fault(key, f"expected text, found {_shown(value)}")
            return ""
        return str(value)


def _quoted(value: object) -> str:
    """Quote a value that was found. Only for settings that hold no secrets."""
    return f'"{shorten(value)}"' if isinstance(value, str) else _shown(value)


def _shown(value: object) -> str:
    """Describe a value that was found, without quoting text, which could be secret or long."""
    if isinstance(value, Odd):
        return f'"{value.written}" ({value.why})'
    names = {dict: "a mapping", list: "a list", bool: str(value).lower(), str: "other text"}
    return names.get(type(value), str(value)[:40])
