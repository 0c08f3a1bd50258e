"""What docs/fields.md is made of is what real servers send."""

from __future__ import annotations

import pytest

from tests.support.pbx_pair import RichPbx
from tests.support.recorded_fields import lists_of, recorded


@pytest.mark.usefixtures("asterisk_roots", "sipp")  # which the chosen server asks for only while it runs
@pytest.mark.parametrize("major", [22, 16])
def test_the_lists_of_a_rich_pbx_have_the_fields_that_were_recorded(major: int, request: pytest.FixtureRequest) -> None:
    pbx: RichPbx = request.getfixturevalue(f"rich{major}")
    known = recorded(major).lists
    strange = {
        (action, kind, field)
        for action, kinds in lists_of(pbx.server)
        for kind, fields in kinds.items()
        for field in fields
        if field not in known[action][kind]
    }
    assert strange == set()
    assert {action for action, _ in lists_of(pbx.server)} == known.keys()
