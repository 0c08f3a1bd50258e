"""What `serve` sets in its process."""

from __future__ import annotations

import socket
import subprocess
import sys

from ami_exporter.commands.serve import SWITCH_SECONDS
from tests.support.exporter_process import clean_environ

#: It ends at once, because its address is taken.
SERVES = """
import os, sys
from ami_exporter.commands.run import run
status = run(["serve", "--ami.address", "127.0.0.1:1", "--web.listen-address", sys.argv[1]], os.environ)
print(status, sys.getswitchinterval())
"""


def test_a_thread_that_computes_lets_others_run_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environ = {**clean_environ(), "AMI_EXPORTER_AMI_USERNAME": "u", "AMI_EXPORTER_AMI_SECRET": "s"}
        ended = subprocess.run(
            [sys.executable, "-c", SERVES, address], env=environ, capture_output=True, text=True, check=True, timeout=60
        )
    assert ended.stdout == f"1 {SWITCH_SECONDS}\n", ended.stderr
