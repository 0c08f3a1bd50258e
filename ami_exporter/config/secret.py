"""A text that never prints."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "<secret>"


class Secret:
    """A secret: printed, formatted or dumped it reads `<secret>`; only `reveal()` returns it.

    Equal secrets compare equal, so that a reload keeps links whose secret is unchanged. It cannot be pickled: a pickle
    would hold either the secret or the mask.

    again: reads the secret again from its source, if that may change while the program runs; None if it is invalid now.
    """

    __slots__ = ("__again", "__value")

    def __init__(self, value: str, again: Callable[[], str | None] | None = None) -> None:
        self.__value = value
        self.__again = again

    def reveal(self) -> str:
        """Return the secret itself. Only for the wire."""
        return self.__value

    def now(self) -> Secret:
        """Return the current secret of the source, or the last valid one."""
        value = None if self.__again is None else self.__again()
        return self if value is None or value == self.__value else Secret(value, self.__again)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self.__value), _octets(other.reveal()))

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
