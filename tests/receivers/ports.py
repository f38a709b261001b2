"""Ports for programs that listen by themselves."""

import socket


def free_udp_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
