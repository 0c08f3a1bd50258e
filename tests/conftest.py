"""What tests need of the machine: real Asterisk roots and Debian's programs, made or installed before the first test.

Before the first test and not in fixtures, so that a cold machine's minutes count for no test's time limit. Only where
that is asked for (`tests/support/machine.py`); what is there already is used in any case.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from tests.support.asterisk_root import AsteriskRoot, provide_roots
from tests.support.machine import CannotProvideError, Recipe, provide_program, provide_root

# A machine under load is no fault of the code: examples have no time limit, tests have.
settings.register_profile("ours", deadline=None)
# For --hypothesis-profile: where the same tests run once more, on another Python.
settings.register_profile("few", deadline=None, max_examples=5)
settings.load_profile("ours")

# A shell's background jobs ignore Ctrl-C, and so would the programs that these tests start in order to interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MAJORS = (22, 16)

# Fixture → the program it gives and Debian's package that carries it.
PROGRAMS = {
    "prometheus_program": ("prometheus", "prometheus"),
    "promtool": ("promtool", "prometheus"),
    "alertmanager_program": ("prometheus-alertmanager", "prometheus-alertmanager"),
    "sipp": ("sipp", "sip-tester"),
    "chromium": ("chromium", "chromium"),
    "rpmbuild": ("rpmbuild", "rpm"),
    "ip_program": ("ip", "iproute2"),
    "zsh_program": ("zsh", "zsh"),
    "fish_program": ("fish", "fish"),
}
# Fixture → the Debian root it gives. Debian 12, where FreePBX 17 runs, is for the packages and the image: systemd for
# its systemctl (nothing boots), a compiler for the self-contained executable. The others bring a newer Python each.
_BUILDS = ("systemd", "gcc", "libc6-dev", "zlib1g-dev")
ROOTS = {
    "bookworm_root": Recipe(suite="bookworm", packages=("python3-venv", *_BUILDS, "openssl")),
    "trixie_root": Recipe(suite="trixie", packages=("python3-venv", "openssl")),
    # usr-is-merged: as for forky, see tests/support/asterisk_root.py.
    "sid_root": Recipe(suite="sid", packages=("python3-venv", "usr-is-merged", "openssl")),
}
# Fixtures that ask for others only while they run, and what those need.
CHOOSING = {
    "asterisk": {"asterisk_roots"},
    "rich": {"asterisk_roots", "sipp"},
    "python_root": {"trixie_root", "sid_root"},
}
# What a test with the marker `machine` asks for: `built` builds and installs packages, with pip.
MACHINE = {"asterisk_roots", "built", *ROOTS, *PROGRAMS}
_NO_ASTERISK = "no real Asterisk 22/16"

_asterisk = pytest.StashKey[dict[int, AsteriskRoot] | CannotProvideError]()
_provided = pytest.StashKey[dict[str, Path | CannotProvideError]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they ask for: `asterisk`, and `machine` for anything that Python's packages do not bring.

    Soaks run only by `-m soak`.
    """
    if "soak" not in config.option.markexpr:
        hours = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if item not in hours]
        config.hook.pytest_deselected(items=hours)
    for item in items:
        named = _fixtures(item)
        if "asterisk_roots" in named:
            item.add_marker(pytest.mark.asterisk)
        if named & MACHINE:
            item.add_marker(pytest.mark.machine)


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
            session.config.stash[_asterisk] = error
        else:
            session.config.stash[_asterisk] = roots
            _say(session.config, "; ".join(f"Asterisk {root.version} in {root.path}" for root in roots.values()))
    wanted = sorted(named & (ROOTS.keys() | PROGRAMS.keys()))
    # Side by side: to make a root is to wait for the network half of the time.
    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        provided = pool.map(lambda fixture: _provide(session.config, fixture), wanted)
        session.config.stash[_provided] = dict(zip(wanted, provided, strict=True))


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
    roots = pytestconfig.stash[_asterisk]
    if isinstance(roots, CannotProvideError):
        _cannot(f"{_NO_ASTERISK}: {roots}")
    return roots


@pytest.fixture(scope="session")
def bookworm_root(pytestconfig: pytest.Config) -> Path:
    """A root with Debian 12; shared, so mount something over it before anything is written."""
    return _one(pytestconfig, "bookworm_root")


@pytest.fixture(scope="session")
def trixie_root(pytestconfig: pytest.Config) -> Path:
    """A root with Debian 13, whose Python is 3.13; shared as above."""
    return _one(pytestconfig, "trixie_root")


@pytest.fixture(scope="session")
def sid_root(pytestconfig: pytest.Config) -> Path:
    """A root with Debian's unstable suite, whose Python is 3.14; shared as above."""
    return _one(pytestconfig, "sid_root")


@pytest.fixture(scope="session")
def prometheus_program(pytestconfig: pytest.Config) -> Path:
    """Debian's prometheus."""
    return _one(pytestconfig, "prometheus_program")


@pytest.fixture(scope="session")
def promtool(pytestconfig: pytest.Config) -> Path:
    """Debian's promtool."""
    return _one(pytestconfig, "promtool")


@pytest.fixture(scope="session")
def alertmanager_program(pytestconfig: pytest.Config) -> Path:
    """Debian's prometheus-alertmanager."""
    return _one(pytestconfig, "alertmanager_program")


@pytest.fixture(scope="session")
def sipp(pytestconfig: pytest.Config) -> Path:
    """SIPp, the SIP traffic generator."""
    return _one(pytestconfig, "sipp")


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Path:
    """Headless-capable Chromium."""
    return _one(pytestconfig, "chromium")


@pytest.fixture(scope="session")
def ip_program(pytestconfig: pytest.Config) -> Path:
    """`ip`, to shape a network namespace of a test's own."""
    return _one(pytestconfig, "ip_program")


@pytest.fixture(scope="session")
def zsh_program(pytestconfig: pytest.Config) -> Path:
    """The shell zsh."""
    return _one(pytestconfig, "zsh_program")


@pytest.fixture(scope="session")
def fish_program(pytestconfig: pytest.Config) -> Path:
    """The shell fish."""
    return _one(pytestconfig, "fish_program")


@pytest.fixture(scope="session")
def rpmbuild(pytestconfig: pytest.Config) -> Path:
    """Debian's rpmbuild, and rpm beside it."""
    return _one(pytestconfig, "rpmbuild")


def _provide(config: pytest.Config, fixture: str) -> Path | CannotProvideError:
    try:
        if fixture in PROGRAMS:
            return provide_program(*PROGRAMS[fixture])
        recipe = ROOTS[fixture]
        _say(config, f"Debian {recipe.suite}: looking, or making it (about a minute, once a machine)")
        return provide_root(recipe)
    except CannotProvideError as error:
        return error


def _one(config: pytest.Config, fixture: str) -> Path:
    found = config.stash[_provided][fixture]
    if isinstance(found, CannotProvideError):
        what = PROGRAMS[fixture][0] if fixture in PROGRAMS else f"Debian {ROOTS[fixture].suite}"
        _cannot(f"no {what}: {found}")
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
