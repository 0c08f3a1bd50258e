"""Strangers' texts in calls to real Asterisk 22 and 16: no figure but their own call's, or a collector that says so.

Each text is sent in each place; each call is compared with the same call that carries a plain text: what is polled
while it is up, and what is counted when all calls of a place have ended.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess, Scrape, exporter
from tests.support.hostile_texts import HOSTILE, PLAIN
from tests.support.planted import AMI_SECRETS
from tests.support.stranger import Call, Stranger, escaped

pytestmark = pytest.mark.timeout(300)

PHONE_SECRET = "a-phone-s-secret"
#: What changes with time or with every scrape; device states, which Asterisk works out later, and once for two changes;
#: media reports, which come every five seconds: a call has one if it lasts that long.
MOVING = re.compile(
    r"DeviceStateChange|device_states|seconds|_info$|_duration_|_age_|scrape_collector|dropped|processed|security|rtp_|RTCP",
    re.IGNORECASE,
)
#: Equal readings of the counters after which nothing more comes: UserEvents come over a connection of their own.
RESTING = 5
AGENT_OF_ANOTHER_KIND = ("asterisk_user_agent_contacts", frozenset({("user_agent", "other")}))
PHONE_UP = ("asterisk_endpoint_up", frozenset({("endpoint", "7001"), ("technology", "PJSIP")}))
FORGED = ("vip", "FORGED", "9.9")
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]
Place = Callable[[Stranger, str], "Call | None"]

PLACES: dict[str, Place] = {
    "From user": lambda stranger, text: stranger.call("4711", user=escaped(text)),
    "display name": lambda stranger, text: stranger.call("4711", name=in_quotes(text)),
    "dialled extension": lambda stranger, text: stranger.call(f"9{escaped(text)}"),
    "queue caller's number": lambda stranger, text: stranger.call("600", user=escaped(text)),
    "P-Asserted-Identity": lambda stranger, text: stranger.call(
        "600", more={"P-Asserted-Identity": f"<sip:{escaped(text)}@127.0.0.1>"}
    ),
    "queue caller's name": lambda stranger, text: stranger.call("name", more={"X-Text": escaped(text)}),
    "application data": lambda stranger, text: stranger.call("data", more={"X-Text": escaped(text)}),
    "UserEvent": lambda stranger, text: stranger.call("user", more={"X-Text": escaped(text)}),
    "connected line": lambda stranger, text: stranger.call("line", more={"X-Text": escaped(text)}),
}


def in_quotes(text: str) -> str:
    """The text as a quoted string."""
    return re.sub(r'[\r\n\0"\\]', r"\\\g<0>", text)


@dataclass
class Watched:
    """A server with an exporter beside it, and what came of the texts."""

    server: AsteriskServer
    running: ExporterProcess
    failed: Counter[str] = field(default_factory=Counter)

    def polled(self) -> tuple[Figures, set[str]]:
        """What is polled now, and the collectors that failed."""
        scrape = self.running.get()
        assert scrape.value("asterisk_up") == 1
        success = scrape.by("asterisk_scrape_collector_success", "collector")
        names = {dict(labels)["collector"] for name, labels in scrape.series() if name.endswith("collector_success")}
        return figures(scrape, counted=False), {name for name in names if (name,) not in success}

    def polled_like(self, expected: Figures) -> tuple[Figures, set[str]]:
        """What is polled as soon as the call has come as far as the one before, or has not in two seconds."""
        until = time.monotonic() + 2.0
        while True:
            found, failed = self.polled()
            if found == expected or failed or time.monotonic() > until:
                return found, failed

    def arrived(self) -> Figures:
        """What is polled once the call runs the application that it stays in."""
        found: list[Figures] = [{}]

        def stays() -> bool:
            found.append(self.polled()[0])
            names = {
                dict(labels).get("application") for name, labels in found[-1] if name.endswith("application_channels")
            }
            return bool(names & {"Echo", "Queue", "Wait"}) and found[-1] == found[-2]

        wait_until(stays, 10, "the call to arrive")
        return found[-1]

    def counted(self) -> Figures:
        """What has been counted so far."""
        return figures(self.running.get(), counted=True)

    def settled(self) -> Figures:
        """What has been counted once no call is left and nothing more comes."""
        wait_until(lambda: self.server.channels() == 0, 20, "no channel left")
        before: list[Figures] = [self.counted()]

        def rests() -> bool:
            before.append(self.counted())
            return before[-RESTING:].count(before[-1]) == RESTING

        wait_until(rests, 20, "the counters to rest")
        return before[-1]


def figures(scrape: Scrape, *, counted: bool) -> Figures:
    """The figures that two equal calls have in common."""
    return {
        (name, labels): value
        for (name, labels), value in scrape.series().items()
        if name.startswith("asterisk_")
        and not MOVING.search(name)
        and not MOVING.search(str(labels))
        and name.endswith("_total") is counted
    }


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def watched(
    request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("strangers")
    server = AsteriskServer(
        asterisk_roots[request.param],
        folder / "pbx",
        templates=("base", "strangers"),
        values={"PHONE_SECRET": PHONE_SECRET},
    )
    config = folder / "ami.yml"
    config.write_text(
        "targets:\n  pbx:\n"
        f"    address: 127.0.0.1:{server.ami_port}\n    username: all\n    secret: {AMI_SECRETS['all']}\n"
        "custom:\n"
        "  - event: UserEvent\n    where: {UserEvent: Callback}\n    metrics:\n"
        "      - {name: asterisk_custom_callbacks_total, type: counter, help: Callbacks.}\n"
    )
    server.start()
    try:
        server.wait_booted()
        with exporter("--config.file", str(config)) as running:
            wait_until(
                lambda: sum(running.get().by("ami_exporter_link_up", "link").values()) == 3, 30, "poll and event links"
            )
            yield Watched(server, running)
    finally:
        server.kill()


@pytest.mark.parametrize("place", PLACES)
def test_a_text_in_a_call_changes_no_figure(watched: Watched, place: str) -> None:
    call = PLACES[place]
    # A quoted string carries no line ends: nearly all calls with one are taken for no SIP.
    patience = 1.0 if place == "display name" else 5.0
    with Stranger((watched.server.place.address, watched.server.place.pjsip), patience=patience) as stranger:
        warm_up = call(stranger, PLAIN)
        assert warm_up is not None
        watched.arrived()
        warm_up.end()
        begun = watched.settled()
        plain = call(stranger, PLAIN)
        assert plain is not None
        expected = watched.arrived()
        plain.end()
        counted = watched.settled()
        one_call = {key: value - begun.get(key, 0.0) for key, value in counted.items()}

        answered = 0
        for text in HOSTILE:
            hostile = call(stranger, text)
            if hostile is None:
                continue
            answered += 1
            try:
                found, failed = watched.polled_like(expected)
            finally:
                hostile.end()
            watched.failed.update(failed)
            strange = {key: value for key, value in found.items() if expected.get(key) != value}
            assert not strange, (text, strange)
            assert failed or found.keys() == expected.keys(), (text, expected.keys() - found.keys())
        after = watched.settled()
    wrong = {
        key: (value - counted.get(key, 0.0), answered * one_call.get(key, 0.0))
        for key, value in after.items()
        if value - counted.get(key, 0.0) != answered * one_call.get(key, 0.0)
    }
    print(f"{place}: {answered} of {len(HOSTILE)} calls answered; failed so far: {dict(watched.failed)}", flush=True)  # noqa: T201 - to be read with -s
    assert not wrong
    assert not any(word in str(key) for key in after for word in FORGED)
    assert answered >= (40 if place != "display name" else 1)


def test_a_user_agent_of_a_registration_changes_no_figure(watched: Watched) -> None:
    # The carrier is known by 127.0.0.1, the phone by its name.
    server = (watched.server.place.address, watched.server.place.pjsip)
    with Stranger(server, "127.0.0.2") as stranger:
        assert stranger.register("7001", PHONE_SECRET, PLAIN) == 200
        wait_until(lambda: watched.polled()[0][PHONE_UP] == 1, 10, "the state of the phone, which follows its answer")
        expected, _ = watched.polled()
        assert expected.pop(AGENT_OF_ANOTHER_KIND) == 1
        answered = 0
        for text in HOSTILE:
            # A header's value can only go on in the next line after a blank.
            answered += stranger.register("7001", PHONE_SECRET, re.sub(r"[\r\n]+", "\r\n ", text)[:1200]) == 200
            found, failed = watched.polled()
            assert found.pop(AGENT_OF_ANOTHER_KIND, 1) == 1  # absent: an agent of blanks is none
            assert failed or found == expected, text
    print(f"user agent: {answered} of {len(HOSTILE)} registrations answered", flush=True)  # noqa: T201 - to be read with -s
    assert answered >= 40


def test_the_exporter_says_how_many_texts_it_met(watched: Watched) -> None:
    scrape = watched.running.get()
    errors = scrape.by("ami_exporter_protocol_errors_total", "kind")
    print(f"Asterisk {watched.server.major}: {errors}; collectors failed: {dict(watched.failed)}", flush=True)  # noqa: T201 - to be read with -s
    assert errors["torn_item",] > len(HOSTILE)
    assert errors["doubtful_event",] > len(HOSTILE)
    assert set(scrape.by("ami_exporter_link_connects_total", "link").values()) == {1}
