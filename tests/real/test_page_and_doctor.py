"""The status page and `ami-exporter doctor` judge an AMI user alike, README's own first, on real servers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import exporter, run
from tests.support.planted import AMI_SECRETS
from tests.support.readme import PLACEHOLDER, user_block

README_SECRET = "3f2c9a7b5d1e48c6a0b9d8e7f6a5b4c3d2e1f0a9b8c7d6e5"
USERS: Mapping[str, str] = {**AMI_SECRETS, "ami_exporter": README_SECRET}
# write= of the user → the page's verdict. What read= lacks doctor finds out by a login, the page when events are due.
VERDICTS = {
    "ami_exporter": "All is well",
    "events": "All is well",
    "all": "All is well",
    "nothing": "Target default: up, with faults",
}


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def server(
    request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskServer]:
    """A server with the user of README, as it stands there."""
    server = AsteriskServer(asterisk_roots[request.param], tmp_path_factory.mktemp("server"))
    with (server.folder / "etc" / "manager.conf").open("a") as file:
        file.write("\n" + user_block().replace(PLACEHOLDER, README_SECRET))
    with server.booted():
        yield server


@dataclass(frozen=True)
class Judged:
    """What both say of one user."""

    page: str
    doctor: subprocess.CompletedProcess[str]

    @property
    def verdict(self) -> str:
        """The page's headline."""
        return "".join(re.findall("<h1>(.*)</h1>", self.page))

    def of_page(self, pattern: str) -> set[str]:
        """Actions in the page's sentence."""
        return named(pattern, self.page)

    def of_doctor(self, pattern: str) -> set[str]:
        """Actions in doctor's sentence."""
        return named(pattern, " ".join(self.doctor.stdout.split()))


def named(pattern: str, text: str) -> set[str]:
    return {name for names in re.findall(pattern, text) for name in re.findall(r"\w+", names)}


def judged(server: AsteriskServer, user: str) -> Judged:
    flags = ("--ami.address", f"127.0.0.1:{server.ami_port}", "--ami.username", user)
    environ = {"AMI_EXPORTER_AMI_SECRET": USERS[user]}
    with exporter(*flags, environ=environ) as running:
        assert running.get().value("asterisk_up") == 1
        wait_until(lambda: "not open yet" not in running.get("/").body, 20.0, "the event link")
        page = running.get("/").body
    return Judged(page, run("doctor", *flags, environ=environ))


@pytest.mark.parametrize("user", VERDICTS)
def test_page_and_doctor_agree(server: AsteriskServer, user: str) -> None:
    both = judged(server, user)
    assert (both.verdict, both.doctor.returncode) == (VERDICTS[user], int(VERDICTS[user] != "All is well"))
    missing = both.of_page(r"the AMI user lacks it: no ([\w, ]+);")
    assert missing <= both.of_doctor(r"write=reporting is missing: without it there is no ([\w, ]+?) -")
    assert bool(missing) == (user == "nothing")
    further = both.of_page(r"would add: ([\w, ]+)\.")
    assert further <= both.of_doctor(r"write = reporting,system\) adds ([\w, ]+)\.")
    assert bool(further) == (user != "all")
    assert re.findall(r"write ?= ?[\w,]*(?:call|agent)", both.page) == []
