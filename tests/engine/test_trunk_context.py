"""What folds know beside their messages: which trunk an endpoint is, as the configuration's list says."""

from __future__ import annotations

import pytest

from ami_exporter.collectors.declarations import Context
from ami_exporter.config.target_settings import TrunkSettings
from ami_exporter.pbx.trunk_context import configured_trunks, trunk_names, trunk_patterns


@pytest.mark.parametrize(
    ("match", "technology", "endpoint", "belongs"),
    [
        ("PJSIP/telco-a", "PJSIP", "telco-a", True),
        ("PJSIP/telco-a", "PJSIP", "telco-ab", False),
        ("PJSIP/telco-a", "SIP", "telco-a", False),
        ("PJSIP/telco-*", "PJSIP", "telco-ab", True),
        ("PJSIP/Telco-*", "PJSIP", "telco-ab", False),
        ("DAHDI/i1/*", "DAHDI", "i1/5551234", True),
    ],
)
def test_a_trunk_matches_its_technology_and_endpoint(
    match: str, technology: str, endpoint: str, *, belongs: bool
) -> None:
    trunks = configured_trunks([TrunkSettings("t", match)])
    context = Context(trunks=trunks, trunk_names=trunk_names(trunks), trunk_patterns=trunk_patterns(trunks))
    assert context.trunk(technology, endpoint) == ("t" if belongs else None)
