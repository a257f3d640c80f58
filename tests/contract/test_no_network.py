"""The tests themselves: nothing leaves this machine."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 443), ("0.0.0.0", 1)])
def test_sockets_reach_the_loopback_only(address):
    with socket.socket() as outside, pytest.raises(RuntimeError, match="tests must not connect to"):
        outside.connect(address)
    with socket.socket(socket.AF_INET6) as outside, pytest.raises(RuntimeError, match="tests must not connect to"):
        outside.connect_ex(("2001:db8::1", 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_loopback_is_open(host):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as inside:
        inside.connect((host, server.getsockname()[1]))
        assert inside.getpeername()[0] == "127.0.0.1"
