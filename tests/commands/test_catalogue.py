"""What the configuration is checked against in earnest."""

from __future__ import annotations

from ami_exporter.ami.event_classes import EVENT_NAMES, NEVER_ASKED_FOR, UNLISTED
from ami_exporter.commands import loading


def test_events_that_are_never_asked_for_are_refused_and_are_in_no_class_of_a_mask() -> None:
    assert loading.catalogue({}).unheard == NEVER_ASKED_FOR
    assert NEVER_ASKED_FOR.isdisjoint(EVENT_NAMES)
    assert UNLISTED.isdisjoint({"dtmf", "agi", "aoc"})
