"""What tests need of the machine: real Asterisk roots and Debian's programs, made or installed before the first test.

Before the first test and not in fixtures, so that a cold machine's minutes count for no test's time limit.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from tests.support.asterisk_root import (
    AsteriskRoot,
    CannotProvideError,
    Recipe,
    provide_program,
    provide_root,
    provide_roots,
)

# A machine under load is no fault of the code: examples have no time limit, tests have.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")

MAJORS = (22, 16)

# Fixture → the program it gives and Debian's package that carries it.
PROGRAMS = {
    "prometheus_program": ("prometheus", "prometheus"),
    "promtool": ("promtool", "prometheus"),
    "alertmanager_program": ("prometheus-alertmanager", "prometheus-alertmanager"),
    "sipp": ("sipp", "sip-tester"),
    "chromium": ("chromium", "chromium"),
}
# Fixtures that ask for others only while they run, and what those need.
CHOOSING = {"asterisk": {"asterisk_roots"}, "rich": {"asterisk_roots", "sipp"}}
# Debian 12, where FreePBX 17 runs, for the package and the image; systemd for its systemctl, nothing boots.
BOOKWORM = Recipe(suite="bookworm", packages=("python3-venv", "systemd"))
_NO_ASTERISK = "no real Asterisk 22/16"

_roots = pytest.StashKey[dict[int, AsteriskRoot] | CannotProvideError]()
_bookworm = pytest.StashKey[Path | CannotProvideError]()
_programs = pytest.StashKey[dict[str, Path | CannotProvideError]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs against a real Asterisk: `-m "not asterisk"` leaves it out; soaks run only by `-m soak`."""
    if "soak" not in config.option.markexpr:
        hours = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if item not in hours]
        config.hook.pytest_deselected(items=hours)
    for item in items:
        if "asterisk_roots" in _fixtures(item):
            item.add_marker(pytest.mark.asterisk)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Provide what the collected tests name among their fixtures, and nothing else."""
    if session.config.option.collectonly:
        return
    named = {name for item in session.items for name in _fixtures(item)}
    if "asterisk_roots" in named:
        _say(session.config, "real Asterisk 22 and 16: looking, or making them (about two minutes, once a machine)")
        try:
            roots = provide_roots(MAJORS)
        except CannotProvideError as error:
            session.config.stash[_roots] = error
        else:
            session.config.stash[_roots] = roots
            _say(session.config, "; ".join(f"Asterisk {root.version} in {root.path}" for root in roots.values()))
    if "bookworm_root" in named:
        _say(session.config, "Debian 12: looking, or making it (about a minute, once a machine)")
        try:
            session.config.stash[_bookworm] = provide_root(BOOKWORM)
        except CannotProvideError as error:
            session.config.stash[_bookworm] = error
    programs: dict[str, Path | CannotProvideError] = {}
    for fixture in sorted(named & PROGRAMS.keys()):
        try:
            programs[fixture] = provide_program(*PROGRAMS[fixture])
        except CannotProvideError as error:
            programs[fixture] = error
    session.config.stash[_programs] = programs


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line a reason for what was skipped, and loud: that tests against real servers could not run."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = Counter(
        str(found[2] if isinstance(found, tuple) else found).removeprefix("Skipped: ") for found in skipped
    )
    for reason, count in sorted(reasons.items(), key=lambda item: item[0].startswith(_NO_ASTERISK)):
        terminalreporter.write_line(f"{count} skipped: {reason}", yellow=True, bold=reason.startswith(_NO_ASTERISK))


@pytest.fixture(scope="session")
def asterisk_roots(pytestconfig: pytest.Config) -> dict[int, AsteriskRoot]:
    """Major version → root with that Asterisk."""
    roots = pytestconfig.stash[_roots]
    if isinstance(roots, CannotProvideError):
        _cannot(f"{_NO_ASTERISK}: {roots}")
    return roots


@pytest.fixture(scope="session")
def bookworm_root(pytestconfig: pytest.Config) -> Path:
    """A root with Debian 12; shared, so mount something over it before anything is written."""
    root = pytestconfig.stash[_bookworm]
    if isinstance(root, CannotProvideError):
        _cannot(f"no Debian 12: {root}")
    return root


@pytest.fixture(scope="session")
def prometheus_program(pytestconfig: pytest.Config) -> Path:
    """Debian's prometheus."""
    return _program(pytestconfig, "prometheus_program")


@pytest.fixture(scope="session")
def promtool(pytestconfig: pytest.Config) -> Path:
    """Debian's promtool."""
    return _program(pytestconfig, "promtool")


@pytest.fixture(scope="session")
def alertmanager_program(pytestconfig: pytest.Config) -> Path:
    """Debian's prometheus-alertmanager."""
    return _program(pytestconfig, "alertmanager_program")


@pytest.fixture(scope="session")
def sipp(pytestconfig: pytest.Config) -> Path:
    """SIPp, the SIP traffic generator."""
    return _program(pytestconfig, "sipp")


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Path:
    """Headless-capable Chromium."""
    return _program(pytestconfig, "chromium")


def _program(config: pytest.Config, fixture: str) -> Path:
    found = config.stash[_programs][fixture]
    if isinstance(found, CannotProvideError):
        _cannot(f"no {PROGRAMS[fixture][0]}: {found}")
    return found


def _cannot(reason: str) -> NoReturn:
    """Skip, but never in CI: there a missing real server is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _fixtures(item: pytest.Item) -> set[str]:
    named = set(getattr(item, "fixturenames", []))
    return named.union(*(needs for fixture, needs in CHOOSING.items() if fixture in named))


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(line)
    elif os.environ.get("PYTEST_XDIST_WORKER") == "gw0":  # one of several that do the same; their stdout is not ours
        sys.stderr.write(f"{line}\n")
