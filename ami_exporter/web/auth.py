"""Basic authentication against bcrypt hashes: constant in time, one hash at a time, results remembered."""

import asyncio
import base64
import binascii
import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from enum import Enum, auto

# Results remembered, each kind for itself: wrong guesses can never push out a right password.
MAX_REMEMBERED = 100
# Checks that may wait for the one that runs; a check takes about 60 ms at cost 10, so this is a second.
MAX_WAITING = 16
# Salt and hash of nobody's password: what an unknown user is compared with, at the cost the known ones have.
_NOBODY = "QOauhQNbBCuQDKes6eFzPe" + "." * 31
_COST = slice(4, 6)  # of "$2b$10$…"

Compare = Callable[[bytes, bytes], bool]  # password, hash


class Verdict(Enum):
    """Outcome of a check."""

    GRANTED = auto()
    DENIED = auto()
    BUSY = auto()  # too many checks are waiting: no answer now


def compare_bcrypt(password: bytes, hashed: bytes) -> bool:
    """Compare; False too for what bcrypt refuses (passwords over 72 bytes or with NUL, a malformed hash)."""
    import bcrypt  # noqa: PLC0415 - an optional dependency, wanted only where users are configured

    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:
        return False


class BasicAuth:
    """Checks Authorization headers; used on the event loop, the hashing done in `worker` (one thread is enough)."""

    def __init__(self, worker: Executor, compare: Compare = compare_bcrypt) -> None:
        self._worker = worker
        self._compare = compare
        self._secret = os.urandom(32)
        self._granted: OrderedDict[bytes, None] = OrderedDict()
        self._denied: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def check(self, users: Mapping[str, str], authorization: str) -> Verdict:
        """Check a header against the users (name to bcrypt hash). No users: everybody is let in."""
        if not users:
            return Verdict.GRANTED
        credentials = _credentials(authorization)
        if credentials is None:
            return Verdict.DENIED
        user, password = credentials
        known = user in users
        hashed = users[user] if known else _nobody(users)
        digest = self._digest(user, hashed, password)
        verdict = self._remembered(digest)
        if verdict is None and self._waiting >= MAX_WAITING:
            return Verdict.BUSY
        return verdict or await self._compute(digest, password, hashed, known=known)

    async def _compute(self, digest: bytes, password: bytes, hashed: str, *, known: bool) -> Verdict:
        self._waiting += 1
        try:
            async with self._turn:
                # Several scrapers with one password come at once: the first one's result serves all.
                if (verdict := self._remembered(digest)) is not None:
                    return verdict
                loop = asyncio.get_running_loop()
                same = await loop.run_in_executor(self._worker, self._compare, password, hashed.encode())
                memory = self._granted if same and known else self._denied
                memory[digest] = None
                if len(memory) > MAX_REMEMBERED:
                    memory.popitem(last=False)
                return Verdict.GRANTED if same and known else Verdict.DENIED
        finally:
            self._waiting -= 1

    def _remembered(self, digest: bytes) -> Verdict | None:
        for memory, verdict in ((self._granted, Verdict.GRANTED), (self._denied, Verdict.DENIED)):
            if digest in memory:
                memory.move_to_end(digest)
                return verdict
        return None

    def _digest(self, user: str, hashed: str, password: bytes) -> bytes:
        """Name a set of credentials without keeping them; the hash is part of it, so a changed one is a new set."""
        keyed = hashlib.blake2b(key=self._secret)
        for part in (user.encode(errors="surrogateescape"), hashed.encode(), password):
            keyed.update(len(part).to_bytes(4, "big") + part)
        return keyed.digest()


def _credentials(authorization: str) -> tuple[str, bytes] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user.decode(errors="surrogateescape"), password) if colon else None


def _nobody(users: Mapping[str, str]) -> str:
    """Return a hash that no password has, as dear to check as the dearest of the users'."""
    cost = max(hashed[_COST] for hashed in users.values())
    return f"$2b${cost}${_NOBODY}"
