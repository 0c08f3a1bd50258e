"""The interpreter is shared by the number of targets."""

import gc
import sys
from collections.abc import Iterator

import pytest

from ami_exporter.commands.interpreter import garbage, switch_seconds, tune


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(before[0])
    gc.set_threshold(*before[1])


def test_few_targets_switch_often_and_many_less_often() -> None:
    assert [switch_seconds(targets) for targets in (1, 10, 50, 200, 1000)] == pytest.approx(
        [0.001, 0.001, 0.005, 0.02, 0.02]
    )


def test_tuning_takes_effect() -> None:
    tune(50)
    assert sys.getswitchinterval() == pytest.approx(0.005)
    assert gc.get_threshold() == (2_000, 10, 10)


def test_one_target_has_its_garbage_collected_as_python_does_and_many_less_often() -> None:
    assert [garbage(targets) for targets in (1, 2, 10, 200, 1000)] == [700, 700, 2000, 2000, 2000]
