"""Every slip of the first hour is told by its place and what to write; tests/deploy does the same in fresh Debians."""

from __future__ import annotations

from pathlib import Path

import pytest

from ami_exporter.commands.loading import catalogue
from ami_exporter.config.faults import ConfigErrors, Fault
from ami_exporter.config.load import load_file
from tests.support.slips import GOOD, SLIPS, Slip


def told(path: Path) -> tuple[bool, tuple[Fault, ...]]:
    """Whether a file is good, and its warnings or faults."""
    try:
        return True, load_file(str(path), catalogue({})).warnings
    except ConfigErrors as errors:
        return False, errors.faults


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.what)
def test_a_slip_is_told_by_its_place_and_what_to_write(slip: Slip, tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(slip.data)
    good, faults = told(path)
    line, _, column = slip.at.partition(":")
    first = [fault.message for fault in faults if (fault.line, fault.column) == (int(line), int(column))][:1]
    assert good == slip.good
    assert first, faults
    assert [part for part in slip.says if part not in first[0]] == [], faults
    assert "s3cret" not in "".join(map(str, faults))


@pytest.mark.parametrize("what", GOOD)
def test_what_looks_odd_and_is_right_is_taken(what: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(GOOD[what])
    assert told(path) == (True, ())


@pytest.mark.parametrize("line", ["secret = s3cret-1", "secret=s3cret-1", "  secret: s3cret-1", "password=s3cret-1"])
def test_a_line_of_a_configuration_in_the_secrets_file_is_warned_of(line: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("targets: {pbx: {address: pbx, username: x, secret_file: pbx.secret}}")
    (tmp_path / "pbx.secret").write_text(f"{line}\n")
    good, (warning,) = told(path)
    assert (good, warning.line, warning.column) == (True, 1, 57)
    assert "expected the secret alone" in warning.message
    assert "s3cret" not in warning.message
