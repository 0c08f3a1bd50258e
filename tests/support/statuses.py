"""Status views for the tests of the status page."""

from dataclasses import replace

from ami_exporter.web.views import (
    CanaryView,
    CollectorState,
    CollectorView,
    LinkState,
    LinkView,
    StatusView,
    TargetView,
)

NOW = 1_795_406_712.0  # 2026-11-23 04:05:12 UTC


def well(name: str) -> TargetView:
    """A target without a fault, up for 3 days and 4 hours."""
    since = NOW - 76 * 3600
    return TargetView(
        name,
        up=True,
        since=since,
        version="22.5.0~dfsg+cs6.17.60671434-1",
        address=f"{name}.example.net:5038",
        labels={"site": "berlin"},
        scraped=NOW - 3,
        took=0.08,
        links=(LinkView("poll", LinkState.UP, since), LinkView("events", LinkState.UP, NOW - 7300)),
        collectors=[CollectorView(c, CollectorState.OK, 0.0042, 3.1) for c in ("channels", "core", "queues")],
        events_per_second=41.7,
        series=1312,
    )


def faulty(name: str) -> TargetView:
    """A target that is up, with every kind of trouble."""
    return TargetView(
        name,
        up=True,
        since=NOW - 4000,
        version="16.30.0",
        address=f"{name}.example.net:5038",
        scraped=NOW - 3,
        took=1.5,
        links=(
            LinkView("poll", LinkState.UP, NOW - 4000),
            LinkView("events", LinkState.DOWN, NOW - 61, "connection refused; is AMI enabled?"),
        ),
        collectors=[
            CollectorView("channels", CollectorState.OK, 0.0042, 3.1),
            CollectorView("queues", CollectorState.FAULT, reason="not done at the deadline", advice="raise `timeout`"),
            CollectorView("trunks", CollectorState.UNAVAILABLE, reason="not offered", advice="needs write=system"),
            CollectorView("voicemail", CollectorState.WAITING),
        ],
        missing_rights="FAXStats",
        missing_classes=("agent", "call"),
        further_rights="PJSIPShowEndpoints",
        canaries=(
            CanaryView("telco-a", "success", "", NOW - 60, NOW + 840),
            CanaryView("telco-b", "rejected", "503", NOW - 120, NOW + 780),
            CanaryView("telco-c", next=NOW + 30),
        ),
        events_per_second=0.0,
        series=98_213,
        series_dropped=1204,
        dropping=("asterisk_device_state",),
    )


def down(name: str) -> TargetView:
    """A target that refuses the login."""
    return TargetView(
        name,
        up=False,
        since=NOW - 754,
        address=f"{name}.example.net:5038",
        labels={"site": "munich"},
        scraped=NOW - 3,
        took=0.01,
        advice="login refused: check the secret in manager.conf",
        links=(LinkView("poll", LinkState.DOWN, NOW - 754), LinkView("events", LinkState.OFF)),
    )


def waiting(name: str) -> TargetView:
    """A target nobody has scraped yet."""
    return TargetView(name, up=None)


def view(*targets: TargetView, reload_error: str = "") -> StatusView:
    """The page's view of these targets."""
    started = NOW - 80 * 3600
    return StatusView("0.0.0-test", NOW, started, targets, loaded=started, reload_error=reload_error)


def fleet(wells: int, downs: int) -> StatusView:
    """A fleet as they are: names and addresses of some length, and reasons of two sentences."""
    reason = (
        "connected, but the server sent nothing before the deadline; expected the greeting of an Asterisk Manager "
        "Interface: check the port (manager.conf: port), and that no other program has it"
    )
    broken = [
        replace(down(f"branch-{n:02d}"), advice=reason, address=f"pbx.branch-{n:02d}.example.net:5038")
        for n in range(downs)
    ]
    return view(*(well(f"pbx{n:03d}") for n in range(wells)), *broken)
