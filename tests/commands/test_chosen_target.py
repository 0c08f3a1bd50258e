"""Which target a command is about."""

from __future__ import annotations

import pytest

from ami_exporter.commands.loading import chosen_target
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import Settings, TargetSettings


def settings(*names: str) -> Settings:
    return Settings({name: TargetSettings(name, "pbx", "exporter", Secret("s3cret")) for name in names})


def test_the_only_target_needs_no_name() -> None:
    assert chosen_target(None, settings("berlin")).name == "berlin"


def test_a_named_target_is_found() -> None:
    assert chosen_target("munich", settings("berlin", "munich")).name == "munich"


@pytest.mark.parametrize(
    ("name", "names", "message"),
    [
        (None, ("berlin", "munich"), "found 2 targets, expected the name of one: berlin or munich"),
        (None, (), "found 0 targets, expected the name of one: none configured"),
        ("munch", ("berlin", "munich"), 'found no such target, expected berlin or munich; did you mean "munich"?'),
    ],
)
def test_what_names_no_target_is_told_with_those_there_are(
    name: str | None, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigErrors) as caught:
        chosen_target(name, settings(*names))
    assert str(caught.value) == f"command line: {message}"
