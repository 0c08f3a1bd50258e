"""What several tests of the web room take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.certificates import Authority


@pytest.fixture
def tls_file(tmp_path: Path) -> str:
    """A web.config.file with a certificate for localhost."""
    Authority().issue("localhost").write(tmp_path, "server")
    file = tmp_path / "web.yml"
    file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    return str(file)
