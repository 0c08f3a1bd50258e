"""`http://` on a port that speaks TLS."""

import socket
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.web import running


def test_a_request_without_tls_on_the_tls_port_is_answered_by_a_sentence(tmp_path: Path) -> None:
    cert, key = Authority().issue("exporter", "localhost").write(tmp_path, "exporter")
    web_file = tmp_path / "web.yml"
    web_file.write_text(f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n")
    with (
        running(config_file=str(web_file)) as web,
        socket.create_connection(("127.0.0.1", web.port), timeout=10) as client,
    ):
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X-Long: y\r\n" * 500 + b"\r\n")
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nthis port speaks TLS: write https:// instead of http://\n")
