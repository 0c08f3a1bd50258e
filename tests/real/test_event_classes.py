"""Which classes of events the exporter was given, on real Asterisk: by what the AMI user may read."""

from __future__ import annotations

import pytest

from ami_exporter.config.secret import Secret
from tests.support.asterisk_server import AsteriskServer
from tests.support.planted import AMI_SECRETS
from tests.support.targets import listening, movable, scrape, target, until


@pytest.mark.parametrize(("user", "lacks"), [("events", set[str]()), ("reporting", {"call"})])
def test_a_class_is_given_until_a_channel_began_without_its_event(
    asterisk: AsteriskServer, user: str, lacks: set[str]
) -> None:
    clock, _, clocks = movable()
    secret = Secret(AMI_SECRETS[user])
    with target(asterisk.ami_port, clocks=clocks, events=True, username=user, secret=secret) as one:
        listening(one)
        until(lambda: one.stats.events_received >= 1, "FullyBooted")

        def classes() -> set[str]:
            series = [dict(labels) for name, labels in scrape(one) if name == "ami_exporter_event_classes"]
            return {labels["class"] for labels in series}

        asked = classes()
        assert asked == {"agent", "call", "reporting", "security", "system"}
        clock.ahead += 120  # so that no FullyBooted would show, and the channels below are younger than the link
        asterisk.originate_local(1)
        try:
            until(
                lambda: scrape(one)["asterisk_oldest_channel_age_seconds", frozenset({("technology", "Local")})] > 6,
                "age",
            )
            assert classes() == asked - lacks
        finally:
            asterisk.hang_up_all()
