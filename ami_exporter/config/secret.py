"""A text that never prints."""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "<secret>"


class Secret:
    """A secret: printed, formatted or dumped it reads `<secret>`; `reveal()` alone gives it.

    Equal secrets are equal (a reload keeps links whose secret did not change). It cannot be pickled: a pickle
    would carry either the secret or a lie.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Give the secret itself. Only for the wire."""
        return self.__value

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
