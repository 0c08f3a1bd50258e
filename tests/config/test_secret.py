import copy
import dataclasses
import json
import pickle
from collections.abc import Callable

import pytest

from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings

PLANTED = "hunter2-planted"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>20}",
        "{:s}".format,
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - logging formats so
        lambda secret: json.dumps(secret, default=str),
        lambda secret: repr({"a": [secret]}),
        lambda secret: repr(TargetSettings(name="t", host="h", username="u", secret=secret)),
        lambda secret: repr(dataclasses.asdict(TargetSettings("t", "h", "u", secret))),
    ],
)
def test_a_secret_never_prints(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(PLANTED))
    assert PLANTED not in shown
    assert "<secret>" in shown


def test_a_secret_is_given_only_on_demand() -> None:
    assert Secret(PLANTED).reveal() == PLANTED


def test_a_secret_cannot_be_pickled_nor_dumped_as_json() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(PLANTED))
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(Secret(PLANTED))


def test_equal_secrets_are_equal_so_that_a_reload_keeps_links() -> None:
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert copy.deepcopy(Secret("a")) == Secret("a")
