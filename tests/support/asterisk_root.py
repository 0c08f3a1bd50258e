"""Debian roots that hold a real Asterisk 22 and 16, made once with debootstrap, kept outside the repository.

Debian bookworm has no Asterisk of its own, its neighbours have: forky carries 22, bullseye carries 16 (with
chan_sip).
"""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine import Recipe, provide_root, run_tool


class WrongVersionError(Exception):
    """A suite no longer carries the major version the tests are written for."""


@dataclass(frozen=True, kw_only=True)
class AsteriskRecipe(Recipe):
    """How one major version is had: the suite that carries it, its packages, its module path."""

    major: int
    modules: str


RECIPES: Mapping[int, AsteriskRecipe] = {
    22: AsteriskRecipe(
        major=22,
        suite="forky",
        # usr-is-merged: debootstrap of bookworm would otherwise leave a root that forky's base-files refuses.
        packages=("asterisk", "asterisk-modules", "usr-is-merged"),
        modules="/usr/lib/x86_64-linux-gnu/asterisk/modules",
    ),
    16: AsteriskRecipe(
        major=16,
        suite="bullseye",
        packages=("asterisk", "asterisk-modules", "asterisk-voicemail"),
        modules="/usr/lib/asterisk/modules",
    ),
}


@dataclass(frozen=True, slots=True)
class AsteriskRoot:
    """A finished root: where it is and what `asterisk -V` said in it."""

    recipe: AsteriskRecipe
    path: Path
    version: str


def provide_roots(majors: Sequence[int]) -> dict[int, AsteriskRoot]:
    """The roots of these major versions, missing ones made side by side (about a minute, 500 MB each)."""
    with concurrent.futures.ThreadPoolExecutor(len(majors)) as pool:
        return dict(zip(majors, pool.map(lambda major: _provide_asterisk(RECIPES[major]), majors), strict=True))


def _provide_asterisk(recipe: AsteriskRecipe) -> AsteriskRoot:
    path = provide_root(recipe)
    return AsteriskRoot(recipe, path, _checked_version(path, recipe))


def _checked_version(path: Path, recipe: AsteriskRecipe) -> str:
    said = run_tool(("chroot", str(path), "asterisk", "-V"), 30.0)
    match = re.search(r"Asterisk (\d+)\.\S+", said)
    if match is None or int(match[1]) != recipe.major:
        raise WrongVersionError(
            f"{path}: `asterisk -V` says {said.strip()!r}, expected major version {recipe.major}. "
            f"Debian's {recipe.suite} has moved on: find the suite that carries {recipe.major} and set it in "
            "RECIPES of tests/support/asterisk_root.py, or write the tests for the new version. "
            f"(A stale root is made anew after: rm -rf {path})"
        )
    return match[0].removeprefix("Asterisk ")
