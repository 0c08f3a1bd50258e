"""What an AMI user lacks, judged from what ListCommands offers."""

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.pbx.lacking import Lacking, lacking

README_USER = frozenset({"ping", "coresettings", "corestatus", "confbridgelistrooms", "faxstats", "queuestatus"})


@pytest.mark.parametrize(
    ("missing", "offered", "version", "expected"),
    [
        # Of README's own user nothing is missing: agent and call are never proposed, system is a choice.
        (["Agents", "Parkinglots", "PJSIPShowEndpoints"], README_USER, "22.5.0", Lacking((), ("PJSIPShowEndpoints",))),
        # It holds reporting, so what reporting permits and was not offered is a module that is not loaded.
        (["VoicemailUsersList", "DeviceStateList"], README_USER, "22.5.0", Lacking()),
        # A class by which another action was offered is not missing.
        (["PJSIPShowEndpoints"], frozenset({"ping", "pjsipshowaors"}), "22.5.0", Lacking()),
        (["FAXStats"], frozenset({"ping", "queuestatus"}), "22.5.0", Lacking(("FAXStats",), ())),
        # chan_sip is gone since 21.
        (["SIPpeers"], frozenset({"ping"}), "22.5.0", Lacking()),
        (["FAXStats"], frozenset(), "", Lacking()),
    ],
)
def test_only_rights_that_are_missing_and_worth_having_are_named(
    missing: list[str], offered: frozenset[str], version: str, expected: Lacking
) -> None:
    assert lacking(map(Action, missing), offered, version) == expected
