"""The index of tests/support lists every file once."""

from __future__ import annotations

from tests.support.documents import LINK, REPO

SUPPORT = REPO / "tests/support"


def test_each_helper_is_listed_once() -> None:
    listed = LINK.findall((SUPPORT / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in SUPPORT.glob("*.py"))
