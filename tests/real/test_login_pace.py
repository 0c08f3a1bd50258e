"""What intrusion detection reads in a real server's log of an exporter whose secret is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ami_exporter.pbx.login_backoff import MOST_REFUSED
from tests.real.conftest import AsteriskFactory
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import exporter

#: The lines about AMI that fail2ban 1.0's filter `asterisk` counts, in our words.
COUNTED = re.compile(
    r"(?:NOTICE|SECURITY|WARNING)\[.*"
    r"(?:127\.[0-9.]+ (?:failed to authenticate|tried to authenticate with nonexistent user)"
    r'|SecurityEvent="(?:FailedACL|InvalidAccountID|ChallengeResponseFailed|InvalidPassword)")'
)
#: fail2ban's default `maxretry`, and that of Grandstream's UCM; FreePBX; fail2ban's own jail for Asterisk has 10.
STRICTEST = 5
FREEPBX = 8


@pytest.mark.parametrize("major", [22, 16])
@pytest.mark.parametrize(("user", "md5"), [("all", "true"), ("all", "false"), ("nobody", "true")])
def test_a_wrong_secret_under_scrapes_and_reloads_stays_below_every_stock_limit(
    asterisk_factory: AsteriskFactory, tmp_path: Path, major: int, user: str, md5: str
) -> None:
    server = asterisk_factory(major)
    # One file for both, as FreePBX and many a guide have it: each refused login is two lines.
    (server.folder / "etc" / "logger.conf").write_text("[logfiles]\nfull => notice,warning,error,security\n")
    server.cli("logger reload")
    file = tmp_path / "exporter.yml"
    target = f"address: 127.0.0.1:{server.ami_port}, username: {user}, secret: wrong, md5: {md5}"
    file.write_text(f"targets: {{pbx: {{{target}}}}}\n")
    with exporter("--config.file", str(file)) as running:
        wait_until(lambda: len(COUNTED.findall(server.log())) > 0, 20, "the first refusal")
        for _ in range(40):
            assert running.get().value("asterisk_up") == 0
            assert running.get("/-/reload", method="POST").status == 200
    counted = [line for line in server.log().splitlines() if COUNTED.search(line)]
    assert len(counted) == (3 if user == "nobody" else 2), counted
    assert len(counted) < STRICTEST
    assert len(counted) * MOST_REFUSED < FREEPBX
