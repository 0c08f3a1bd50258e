"""Errors of a connection that no packet reached: they say nothing about the server."""

import errno
import os
import socket
import time

import pytest

from ami_exporter.ami.errors import ConnectFailed
from ami_exporter.ami.stream import Stream
from ami_exporter.config.target_settings import AmiTlsSettings


@pytest.mark.parametrize(
    ("number", "asks"),
    [
        (errno.ENETUNREACH, "no packet gets there from here: look at the address, at the routes"),
        (errno.EHOSTUNREACH, "no packet gets there from here: look at the address, at the routes"),
        (errno.ECONNREFUSED, "is Asterisk running, and does manager.conf have enabled=yes and this port?"),
    ],
)
def test_what_to_look_at_depends_on_how_far_a_packet_came(
    monkeypatch: pytest.MonkeyPatch, number: int, asks: str
) -> None:
    def connect(_self: socket.socket, _address: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(ConnectFailed) as caught:
        Stream.connect("192.0.2.1", 5038, None, time.monotonic() + 5, time.monotonic)
    assert asks in str(caught.value)
    assert ("manager.conf" in str(caught.value)) == (number == errno.ECONNREFUSED)


def test_a_refused_tls_port_asks_for_the_settings_of_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectFailed, match=r"does manager.conf have tlsenable=yes and tlsbindaddr with this port\?"):
        Stream.connect("127.0.0.1", port, AmiTlsSettings(), time.monotonic() + 5, time.monotonic)
