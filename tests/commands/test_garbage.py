"""Garbage is looked for seldom, and what lives long is passed over."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from ami_exporter.commands.garbage import FREEZE_SECONDS, FULL_SECONDS, GarbagePacer


class Knot:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_lives_for_some_seconds_is_frozen() -> None:
    gc.unfreeze()
    pacer = GarbagePacer(0.0)
    pacer.tick(FREEZE_SECONDS - 1)
    assert gc.get_freeze_count() == 0
    pacer.tick(FREEZE_SECONDS)
    assert gc.get_freeze_count() > 1_000


def test_once_an_hour_garbage_that_was_frozen_is_freed_too() -> None:
    pacer = GarbagePacer(0.0)
    knot = Knot()
    seen = weakref.ref(knot)
    pacer.tick(FREEZE_SECONDS)
    del knot
    pacer.tick(2 * FREEZE_SECONDS)
    assert seen() is not None
    pacer.tick(FULL_SECONDS)
    assert seen() is None
    assert gc.get_freeze_count() > 1_000
