"""Opens listening sockets, from addresses (`:15038`, `127.0.0.1:0`, `[::1]:80`, `localhost:9`) or from systemd."""

import fcntl
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ami_exporter.web.flags import split_address

# The kernel drops a client that stops acknowledging data, or keeps its window closed, after this long.
USER_TIMEOUT_MS = 10_000
# Connections waiting to be accepted: enough for bursts of many scrapers, and below the kernel's limit of 4096.
BACKLOG = 512
# systemd passes sockets starting at this descriptor (sd_listen_fds(3)).
FIRST_SYSTEMD_FD = 3


class ListenError(Exception):
    """No socket could be opened; the message is one line: which address, why, and what to do."""


def open_sockets(addresses: Sequence[str]) -> list[socket.socket]:
    """Return bound sockets for all addresses; on ListenError, none is left open."""
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            host, port = split_address(address)
            sockets += _bind_all(address, host, port)
    except ListenError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bind_all(address: str, host: str, port: int) -> list[socket.socket]:
    try:
        return [_bind(family, where) for family, where in _resolve(host, port)]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ListenError(f"cannot listen on {address}: {reason}; choose another with --web.listen-address") from None


def _resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    if host in {"", "::"}:
        # One IPv6 socket accepts IPv4 too; use IPv4 alone if the kernel has no IPv6.
        if _has_ipv6():
            return [(socket.AF_INET6, ("::", port))]
        return [(socket.AF_INET, ("0.0.0.0", port))]  # noqa: S104 - an empty host means every address
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, (str(where[0]), port)) for family, _, _, _, where in found))


def _has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::", 0))
        return True
    return False


def _bind(family: socket.AddressFamily, where: tuple[str, int]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if where[0] == "::" else 1)
        sock.bind(where)
        _prepare(sock)
    except OSError:
        sock.close()
        raise
    return sock


def _prepare(sock: socket.socket) -> None:
    """Set options that accepted connections inherit, and listen at once, to fail now if the port is in use."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    sock.setblocking(False)
    sock.listen(BACKLOG)


def systemd_sockets(environ: Mapping[str, str], pid: int) -> list[socket.socket]:
    """Return the sockets systemd passed to this process (LISTEN_PID, LISTEN_FDS), or raise ListenError."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(pid) or not count.isdigit() or int(count) < 1:
        raise ListenError(
            "--web.systemd-socket: systemd passed no socket (LISTEN_FDS); start the .socket unit, or drop the flag"
        )
    return [_adopt(fd) for fd in range(FIRST_SYSTEMD_FD, FIRST_SYSTEMD_FD + int(count))]


def _adopt(fd: int) -> socket.socket:
    try:
        fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        sock = socket.socket(fileno=fd)
    except OSError:
        raise ListenError(f"--web.systemd-socket: descriptor {fd} is no socket") from None
    if sock.family not in {socket.AF_INET, socket.AF_INET6} or sock.type != socket.SOCK_STREAM:
        raise ListenError(f"--web.systemd-socket: descriptor {fd} is not TCP; use ListenStream= with a port")
    _prepare(sock)
    return sock


def shown(sock: socket.socket) -> str:
    """Return "host:port" of a bound socket, IPv6 in brackets."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
