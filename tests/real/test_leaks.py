"""Nothing of people and no secret leaves the exporter: not in metrics, pages, logs at debug level, or errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import run
from tests.support.pbx_pair import RichPbx
from tests.support.planted import AMI_SECRETS, CALLEE_NUMBER, CALLER_NUMBER, PLANTED
from tests.support.watching import CLI_SECRET, OPT_IN, config, enabled, watching

# Numbers that only the configuration has: those called by name, classes of destinations, accounts, a canary's.
NUMBERS = f"""
    dids: {{"{CALLEE_NUMBER}": Hotline, "{CALLEE_NUMBER.removeprefix("+")}": Hotline}}
    destinations: {{emergency: ["112", "{CALLER_NUMBER}"], international: ["00"]}}
    tenants: {{from: AccountCode, map: {{"{CALLER_NUMBER}": Acme}}}}
    canaries:
      far: {{channel: "PJSIP/{CALLEE_NUMBER}@nowhere", user: {{username: canary, secret: {AMI_SECRETS["canary"]}}}}}
"""
EVERYTHING = enabled(*OPT_IN) + NUMBERS
CUSTOM = """
custom:
  - action: VoicemailUsersList
    metrics:
      - {name: asterisk_custom_boxes, type: gauge, help: Mailboxes., labels: {context: VMContext}}
"""
PATHS = ("/", "/metrics", "/config", "/sd", "/probe?target=pbx", "/probe?target=nobody", "/-/ready")


def leaks(*texts: str) -> list[str]:
    return [secret for secret in PLANTED for text in texts if secret in text]


@pytest.mark.parametrize("user", ["all", "reporting"])
def test_nothing_planted_is_in_metrics_pages_or_debug_logs(rich: RichPbx, tmp_path: Path, user: str) -> None:
    level = ("--log.level", "debug")
    with watching(rich.server, tmp_path, user, EVERYTHING, CUSTOM, *level) as running:
        first = running.get()
        assert first.value("asterisk_up") == 1
        assert first.total("asterisk_custom_boxes") == 4
        pages = {path: running.get(path).body for path in PATHS}
        assert "<secret>" in pages["/config"]
        assert leaks(first.body, *pages.values()) == []
        assert leaks(running.get(headers={"Accept": "application/openmetrics-text"}).body) == []
    wait_until(lambda: "logged off" in running.log, 5, "the log's last line")
    assert leaks(running.log) == []


def test_scrape_and_check_print_nothing_planted(rich: RichPbx, tmp_path: Path) -> None:
    file = tmp_path / "ami-exporter.yml"
    file.write_text(config(rich.server, "all", EVERYTHING, CUSTOM))
    environ = {"PBX_SECRET": AMI_SECRETS["all"], **CLI_SECRET}
    for command in ("scrape", "check", "doctor", "capture"):
        level = ("--log.level", "debug")
        done = run(command, "--config.file", str(file), *level, environ=environ)
        assert done.returncode == 0, done.stderr
        assert leaks(done.stdout, done.stderr) == []


def test_errors_name_no_secret(rich: RichPbx, tmp_path: Path) -> None:
    file = tmp_path / "ami-exporter.yml"
    file.write_text(config(rich.server, "all") + "\nnonsense: 1\n")
    done = run("check", "--config.file", str(file), environ={"PBX_SECRET": AMI_SECRETS["all"], **CLI_SECRET})
    assert done.returncode == 1
    assert leaks(done.stdout, done.stderr) == []
    file.write_text(config(rich.server, "nobody"))
    for command in ("scrape", "doctor", "capture"):
        done = run(command, "--config.file", str(file), environ={"PBX_SECRET": AMI_SECRETS["all"], **CLI_SECRET})
        assert done.returncode == 1
        assert "check username and secret" in done.stdout + done.stderr
        assert leaks(done.stdout, done.stderr) == []
