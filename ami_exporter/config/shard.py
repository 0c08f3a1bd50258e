"""Assigns targets to replicas by a stable hash, so that replicas need not know each other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

MAX_SHARDS = 1000


@dataclass(frozen=True, slots=True)
class Shard:
    """Replica `index` of `count`, counted from 0 as Kubernetes counts a StatefulSet's pods."""

    index: int
    count: int

    @classmethod
    def parse(cls, written: str) -> Shard:
        """Read `I/N`. Raises ValueError."""
        matched = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", written)
        if matched is None:
            raise ValueError("expected I/N such as 0/3")
        index, count = int(matched[1]), int(matched[2])
        if not 1 <= count <= MAX_SHARDS:
            raise ValueError(f"expected 1 to {MAX_SHARDS} shards")
        if index >= count:
            raise ValueError(f"expected I from 0 to {count - 1}: shards are counted from 0")
        return cls(index, count)

    def holds(self, name: str) -> bool:
        """Tell whether the target of this name is served here: SHA-256 of the name, modulo the count."""
        return int.from_bytes(hashlib.sha256(name.encode()).digest()) % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"
