"""The real Prometheus of the harness scrapes, answers queries, and complains."""

from __future__ import annotations

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.asterisk_server import AsteriskServer
from tests.support.prometheus_server import check_metrics, prometheus_server

_SCRAPE = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: asterisk
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class _OneMetric(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"# TYPE harness_answer gauge\nharness_answer 42\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_a_real_prometheus_scrapes_and_answers(prometheus_program: Path, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _OneMetric) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        with prometheus_server(prometheus_program, tmp_path, _SCRAPE.format(port=web.server_port)) as prometheus:
            prometheus.wait_for(lambda server: server.query("harness_answer") != [], 10, "first scrape")
            assert prometheus.value("harness_answer") == 42
            assert [target["health"] for target in prometheus.targets()] == ["up"]
        web.shutdown()


def test_a_prometheus_that_cannot_start_says_why(prometheus_program: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="unmarshal"),
        prometheus_server(prometheus_program, tmp_path, "scrape: nothing\n"),
    ):
        pass


def test_promtool_is_silent_about_good_metrics_and_complains_about_bad_ones(promtool: Path) -> None:
    assert check_metrics(promtool, "# HELP answer_total Answers.\n# TYPE answer_total counter\nanswer_total 1\n") == ""
    assert "counter metrics should have" in check_metrics(promtool, "# HELP a A.\n# TYPE a counter\na 1\n")


def test_the_servers_own_exporter_answers_on_22(asterisk22: AsteriskServer) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{asterisk22.place.http}/metrics", timeout=5) as answer:
        assert b"asterisk_core_uptime_seconds" in answer.read()
