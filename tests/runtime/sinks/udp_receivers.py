"""Plain UDP receivers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def receiver(
    host: str = "127.0.0.1", port: int = 0
) -> Iterator[tuple[socket.socket, int]]:
    """Yield a socket that waits at most five seconds for datagrams, and its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((host, port))
        listening.settimeout(5)
        yield listening, int(listening.getsockname()[1])


def received(listening: socket.socket, count: int) -> list[bytes]:
    """Return the next so many datagrams, and make sure that no more have come."""
    datagrams = [listening.recv(65536) for _ in range(count)]
    assert is_silent(listening), "there are more datagrams than expected"
    return datagrams


def is_silent(listening: socket.socket) -> bool:
    """Return whether nothing has come; datagrams on loopback are there at once."""
    listening.setblocking(False)
    try:
        listening.recv(65536)
    except BlockingIOError:
        return True
    finally:
        listening.settimeout(5)
    return False
