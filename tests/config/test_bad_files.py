"""One file a fault in `bad/`; each ends with the messages it must give: `# expect LINE:COLUMN: MESSAGE`."""

from pathlib import Path

import pytest

from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load_file
from tests.support.config_catalogue import catalogue

BAD = Path(__file__).parent / "bad"
FILES = sorted(BAD.glob("*.yml"))


def expected(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line.removeprefix("# expect ") for line in lines if line.startswith("# expect ")]


def test_there_are_many() -> None:
    assert len(FILES) > 120


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_bad_file_gives_its_messages_and_no_others(path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_file(str(path), catalogue())
    messages = [str(fault).removeprefix(f"{path}:").strip() for fault in caught.value.faults]
    assert messages == expected(path)
    assert all("hunter2" not in message for message in messages)


def test_every_fault_of_a_file_is_told_at_once() -> None:
    assert len(expected(BAD / "several-faults-at-once.yml")) == 6
