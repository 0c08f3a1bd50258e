import pytest

from ami_exporter.config.shard import Shard


def test_the_hash_never_changes() -> None:
    held = {name: next(i for i in range(3) if Shard(i, 3).holds(name)) for name in ["pbx1", "pbx2", "pbx3", "köln"]}
    assert held == {"pbx1": 0, "pbx2": 1, "pbx3": 2, "köln": 2}  # as sha256sum and bc say


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_target_is_in_exactly_one_shard(count: int) -> None:
    for number in range(200):
        assert sum(Shard(index, count).holds(f"pbx{number}") for index in range(count)) == 1


def test_shards_are_of_like_size() -> None:
    sizes = [sum(Shard(index, 4).holds(f"pbx{number}") for number in range(4000)) for index in range(4)]
    assert min(sizes) > 900


def test_a_shard_is_written_as_it_is_read() -> None:
    assert str(Shard.parse("2/5")) == "2/5"


@pytest.mark.parametrize(
    "written", ["", "1", "/3", "1/", "3/3", "-1/3", "0/0", "0/1001", "a/b", "1/3 ", "٣/٤", "99999/99999"]
)
def test_what_is_no_shard_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Shard.parse(written)
