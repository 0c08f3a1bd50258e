"""docs/companions.md: its snippets are accepted by the programs they are for, and its rules fire when they should."""

from __future__ import annotations

import re
import socketserver
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.asterisk_server import free_port, wait_until
from tests.support.documents import REPO
from tests.support.machine import CannotProvideError, provide_program

pytestmark = pytest.mark.slow

PAGE = (REPO / "docs" / "companions.md").read_text(encoding="utf-8")
SECONDS = 20.0

RULES_TEST = """
rule_files: [companions.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'node_filesystem_avail_bytes{job="node", instance="full", mountpoint="/var"}', values: '5x500'}
      - {series: 'node_filesystem_size_bytes{job="node", instance="full", mountpoint="/var"}', values: '100x500'}
      - {series: 'node_filesystem_avail_bytes{job="node", instance="fills", mountpoint="/"}', values: '900-1x500'}
      - {series: 'node_filesystem_size_bytes{job="node", instance="fills", mountpoint="/"}', values: '1000x500'}
      - {series: 'node_filesystem_avail_bytes{job="node", instance="well", mountpoint="/"}', values: '900x500'}
      - {series: 'node_filesystem_size_bytes{job="node", instance="well", mountpoint="/"}', values: '1000x500'}
      - {series: 'probe_ssl_earliest_cert_expiry{job="sip", instance="soon"}', values: '1000000x500'}
      - {series: 'probe_ssl_earliest_cert_expiry{job="sip", instance="late"}', values: '9000000x500'}
      - {series: 'probe_success{job="sip", instance="gone"}', values: '1x390 0x110'}
      - {series: 'probe_success{job="sip", instance="blink"}', values: '1x390 0 0 1x110'}
      - {series: 'asterisk_log_messages_total{level="error", instance="loud"}', values: '0+10x500'}
      - {series: 'asterisk_log_messages_total{level="error", instance="calm"}', values: '0+1x500'}
      - {series: 'asterisk_log_disk_full_total{instance="full"}', values: '0x395 1x105'}
    alert_rule_test:
      - alertname: RecordingDiskFills
        eval_time: 400m
        exp_alerts:
          - exp_labels: {severity: warning, job: node, instance: full, mountpoint: /var}
            exp_annotations: {summary: The disk of full for recordings and voicemail is nearly full.}
          - exp_labels: {severity: warning, job: node, instance: fills, mountpoint: /}
            exp_annotations: {summary: The disk of fills for recordings and voicemail is nearly full.}
      - alertname: SIPCertificateExpires
        eval_time: 400m
        exp_alerts:
          - exp_labels: {severity: warning, job: sip, instance: soon}
            exp_annotations: {summary: The certificate of SIP on soon ends in 11d 7h 6m 40s.}
      - alertname: SIPUnreachableFromOutside
        eval_time: 396m
        exp_alerts:
          - exp_labels: {severity: critical, job: sip, instance: gone}
            exp_annotations:
              summary: "gone does not answer SIP OPTIONS from outside: its link, firewall, or transport."
      - alertname: AsteriskLogErrors
        eval_time: 400m
        exp_alerts:
          - exp_labels: {severity: warning, level: error, instance: loud}
            exp_annotations: {summary: Asterisk on loud logs many errors.}
      - alertname: AsteriskDiskFull
        eval_time: 400m
        exp_alerts:
          - exp_labels: {severity: critical, instance: full}
            exp_annotations: {summary: "full cannot write: recordings and voicemail are being lost."}
"""

LOG = """[2026-11-29 03:00:01] ERROR[1234] res_pjsip.c: Could not create dialog to 1001
[2026-11-29 03:00:02] WARNING[1234][C-00000001] app_dial.c: Unable to create channel for +4930123456
[Nov 29 03:00:03] ERROR[99]: file.c: Unable to write: No space left on device
[2026-11-29 03:00:04] VERBOSE[1234][C-00000001] pbx.c: Executing ERROR[1] of a caller
"""


def block(name: str) -> str:
    """The block of the page that begins with the comment of this file name."""
    found = re.search(rf"```\w+\n(# {re.escape(name)}\n.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def provided() -> Callable[[str], Path]:
    """Programs of Debian; where they cannot be had, the test is skipped."""

    def provide(package: str) -> Path:
        try:
            return provide_program(package, package)
        except CannotProvideError as error:
            pytest.skip(str(error))

    return provide


def test_rules_and_scrapes_are_accepted_and_rules_fire(promtool: Path, tmp_path: Path) -> None:
    (tmp_path / "companions.yml").write_text(block("rules/companions.yml"))
    (tmp_path / "test.yml").write_text(RULES_TEST)
    (tmp_path / "prometheus.yml").write_text(block("prometheus.yml"))
    for arguments in (("test", "rules", "test.yml"), ("check", "config", "prometheus.yml")):
        done = subprocess.run(
            [promtool, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


class SipAnswer(socketserver.StreamRequestHandler):
    """Answers a whole OPTIONS as Asterisk does to a stranger."""

    def handle(self) -> None:
        lines = [line for line in iter(self.rfile.readline, b"\r\n") if line]
        assert lines[0].startswith(b"OPTIONS ")
        assert all(line.endswith(b"\r\n") for line in lines)
        self.wfile.write(b"SIP/2.0 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def sip_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SipAnswer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(SECONDS)


def test_the_probe_asks_and_takes_an_answer(provided: Callable[[str], Path], tmp_path: Path, sip_port: int) -> None:
    program = provided("prometheus-blackbox-exporter")
    (tmp_path / "blackbox.yml").write_text(block("blackbox.yml"))
    port = free_port("127.0.0.1")
    options = ["--config.file=blackbox.yml", f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen([program, *options], cwd=tmp_path, stderr=subprocess.DEVNULL) as running:
        try:

            def probe(target: int) -> str:
                address = f"http://127.0.0.1:{port}/probe?module=sip_tcp_options&target=127.0.0.1:{target}"
                with urllib.request.urlopen(address, timeout=SECONDS) as answer:
                    return str(answer.read().decode())

            def listens() -> bool:
                try:
                    return bool(probe(sip_port))
                except OSError:
                    return False

            wait_until(listens, SECONDS, "the blackbox exporter")
            assert "\nprobe_success 1" in probe(sip_port)
            assert "\nprobe_success 0" in probe(free_port("127.0.0.1"))
        finally:
            running.terminate()


def test_the_log_program_counts_levels_and_nothing_personal(provided: Callable[[str], Path], tmp_path: Path) -> None:
    program = provided("mtail")
    (tmp_path / "progs").mkdir()
    (tmp_path / "progs" / "asterisk.mtail").write_text(block("asterisk.mtail"))
    (tmp_path / "messages").write_text(LOG)
    done = subprocess.run(
        [program, "--one_shot", "--one_shot_format=prometheus", "--progs=progs", "--logs=messages"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert lines == [
        'asterisk_log_disk_full_total{prog="asterisk.mtail"} 1',
        'asterisk_log_messages_total{level="error",prog="asterisk.mtail"} 2',
        'asterisk_log_messages_total{level="warning",prog="asterisk.mtail"} 1',
    ]
