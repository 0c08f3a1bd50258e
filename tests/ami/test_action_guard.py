"""Nothing but the read-only actions of the table can be sent."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import ForbiddenAction


@pytest.mark.parametrize("name", ["Originate", "QueueReset", "BridgeDestroy", "status", "Login", ""])
def test_an_action_outside_the_table_is_refused(name: str) -> None:
    with pytest.raises(ForbiddenAction, match="never sent"):
        Action(name)
