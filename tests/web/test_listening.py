import os
import socket
import subprocess
import sys

import pytest

from ami_exporter.web.flags import split_address
from ami_exporter.web.listen import ListenError, open_sockets, shown, systemd_sockets
from tests.support.web import running


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (":15038", ("", 15038)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("[::]:80", ("::", 80)),
        ("localhost:9", ("localhost", 9)),
    ],
)
def test_addresses_are_read_as_go_reads_them(address: str, expected: tuple[str, int]) -> None:
    assert split_address(address) == expected


@pytest.mark.parametrize("address", ["", "15038", "host", "host:", "host:http", ":65536", "::1:80", ":-1", "host:8 0"])
def test_a_wrong_address_is_one_clear_line(address: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        split_address(address)
    assert str(caught.value).startswith("expected ")


def test_an_empty_host_takes_both_ip_versions() -> None:
    with running(listen_addresses=(":0",)) as web:
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, web.port), timeout=10) as client:
                client.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
                assert client.recv(12) == b"HTTP/1.1 200"


def test_several_addresses_are_all_served() -> None:
    with running(listen_addresses=("127.0.0.1:0", "[::1]:0", "127.0.0.2:0")) as web:
        bound = [shown(sock) for sock in web.server._listeners]
        assert [address.rpartition(":")[0] for address in bound] == ["127.0.0.1", "[::1]", "127.0.0.2"]
        for sock in web.server._listeners:
            with socket.create_connection(sock.getsockname()[:2], timeout=10) as client:
                client.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
                assert client.recv(12) == b"HTTP/1.1 200"


def test_a_port_in_use_is_one_clear_line_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError) as caught:
            open_sockets(["127.0.0.1:0", address])
    assert str(caught.value) == (
        f"cannot listen on {address}: address already in use; choose another with --web.listen-address"
    )


def test_an_unknown_host_is_one_clear_line() -> None:
    with pytest.raises(ListenError) as caught:
        open_sockets(["no-such-host.invalid:80"])
    assert str(caught.value).startswith("cannot listen on no-such-host.invalid:80: ")
    assert "\n" not in str(caught.value)


def test_accepted_connections_have_a_user_timeout() -> None:
    (listener,) = open_sockets(["127.0.0.1:0"])
    with listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000


@pytest.mark.parametrize("environ", [{}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_FDS": "0"}])
def test_no_socket_from_systemd_is_one_clear_line(environ: dict[str, str]) -> None:
    with pytest.raises(ListenError, match=r"--web.systemd-socket: systemd passed no socket"):
        systemd_sockets({"LISTEN_PID": str(os.getpid()), **environ}, os.getpid())


SERVE_ONE = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from ami_exporter.web.webserver import make_server
from ami_exporter.web.flags import WebFlags
from tests.support.web import FakeService
server = make_server(FakeService(), WebFlags(systemd_socket=True))
print(*server.start(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.mark.slow
def test_a_socket_from_systemd_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        host, port = passed.getsockname()
        # As systemd does: the socket becomes descriptor 3 of the new process.
        as_three = f"import os; os.dup2({passed.fileno()}, 3); exec({SERVE_ONE!r})"
        with subprocess.Popen(
            [sys.executable, "-c", as_three],
            pass_fds=[passed.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LISTEN_FDS": "1"},
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline().split() == [f"{host}:{port}"]
            with socket.create_connection((host, port), timeout=10) as client:
                client.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
                assert client.recv(12) == b"HTTP/1.1 200"
            server.communicate(timeout=20)
            assert server.returncode == 0


@pytest.mark.slow
def test_a_descriptor_that_is_no_tcp_socket_is_one_clear_line() -> None:
    program = SERVE_ONE.replace("server = ", "import contextlib\nserver = ")
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.dup2(os.open('/dev/null', 0), 3); exec({program!r})"],
        capture_output=True,
        text=True,
        env={**os.environ, "LISTEN_FDS": "1"},
        timeout=60,
        check=False,
    )
    assert done.stderr.splitlines()[-1].endswith("--web.systemd-socket: descriptor 3 is no socket")
