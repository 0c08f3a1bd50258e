"""Basic authentication against bcrypt hashes: constant time, cached results, one check at a time."""

import base64
import binascii
import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import Enum, auto

from ami_exporter.web.turns import Claimant, Turns

# Size of each cache. Right and wrong passwords have separate ones, so guesses never evict a right password.
MAX_REMEMBERED = 100
# A salt and hash that match no password: unknown users are checked against it, so that they take as long as known ones.
_NOBODY = "QOauhQNbBCuQDKes6eFzPe" + "." * 31
_COST = slice(4, 6)  # the cost in "$2b$10$…"

Compare = Callable[[bytes, bytes], bool]  # password, hash


class PasswordVerdict(Enum):
    """Outcome of a password check."""

    GRANTED = auto()
    DENIED = auto()
    BUSY = auto()  # it got no turn in time


def compare_bcrypt(password: bytes, hashed: bytes) -> bool:
    """Check the password; False also if bcrypt refuses the input (over 72 bytes, a NUL, a malformed hash)."""
    import bcrypt  # noqa: PLC0415 - an optional dependency, needed only if users are configured

    try:
        return bcrypt.checkpw(password, hashed)  # releases the GIL
    except ValueError:
        return False


class BasicAuth:
    """Checks Authorization headers. Thread-safe."""

    def __init__(self, compare: Compare = compare_bcrypt, turns: Turns | None = None) -> None:
        self._compare = compare
        self._turns = turns or Turns()
        self._secret = os.urandom(32)
        self._lock = threading.Lock()
        self._memory: dict[PasswordVerdict, OrderedDict[bytes, None]] = {
            PasswordVerdict.GRANTED: OrderedDict(),
            PasswordVerdict.DENIED: OrderedDict(),
        }

    def check(self, users: Mapping[str, str], authorization: str, client: Claimant) -> PasswordVerdict:
        """Check a header against the users (name to bcrypt hash). Without users, grants everything."""
        if not users:
            return PasswordVerdict.GRANTED
        credentials = _credentials(authorization)
        if credentials is None:
            return PasswordVerdict.DENIED
        user, password = credentials
        known = user in users
        hashed = users[user] if known else _nobody(users)
        digest = self._digest(user, hashed, password)
        verdict = self._remembered(digest)
        seconds = 0.0
        if verdict is None:
            with self._turns.turn(client) as mine:
                # Scrapers that share a password often ask at once: the first one's result serves all.
                verdict = self._remembered(digest) if mine else PasswordVerdict.BUSY
                if verdict is None:
                    began = time.monotonic()
                    same = self._compare(password, hashed.encode())
                    seconds = time.monotonic() - began
                    verdict = PasswordVerdict.GRANTED if same and known else PasswordVerdict.DENIED
                    self._remember(digest, verdict)
        if verdict is PasswordVerdict.DENIED:
            self._turns.note_wrong(client)
            self._turns.hold_back(client, seconds)
        return verdict

    def _remember(self, digest: bytes, verdict: PasswordVerdict) -> None:
        with self._lock:
            memory = self._memory[verdict]
            memory[digest] = None
            if len(memory) > MAX_REMEMBERED:
                memory.popitem(last=False)

    def _remembered(self, digest: bytes) -> PasswordVerdict | None:
        with self._lock:
            for verdict, memory in self._memory.items():
                if digest in memory:
                    memory.move_to_end(digest)
                    return verdict
        return None

    def _digest(self, user: str, hashed: str, password: bytes) -> bytes:
        """Return a cache key that does not reveal the credentials. It covers the hash: a new hash means a new check."""
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
    """Return a hash that matches no password, with the highest cost among the users' hashes."""
    cost = max(hashed[_COST] for hashed in users.values())
    return f"$2b${cost}${_NOBODY}"
