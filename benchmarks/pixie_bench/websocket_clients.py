"""Clients of a websocket, many of them, in a process of their own."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from websockets.asyncio.client import connect

from pixie_runtime.addresses import Address

Habit = Literal["reading", "stuck"]
"""Clients read all that comes, or nothing after the handshake."""


@contextmanager
def websocket_clients(address: Address, habit: Habit, count: int) -> Iterator[None]:
    """Keep so many clients connected."""
    words = (address.host, str(address.port), habit, str(count))
    process = subprocess.Popen(
        [sys.executable, "-m", "pixie_bench.websocket_clients", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "connected\n"
            yield
        finally:
            process.kill()


async def _read(url: str, connected: asyncio.Event) -> None:
    async with connect(url, compression=None) as stream:
        connected.set()
        async for _ in stream:
            pass


def _stick(host: str, port: int) -> socket.socket:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((host, port))
    raw.sendall(
        f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    raw.recv(20)
    return raw


async def _stay(host: str, port: int, habit: str, count: int) -> None:
    if habit == "stuck":
        held = [_stick(host, port) for _ in range(count)]
        sys.stdout.write("connected\n")
        sys.stdout.flush()
        await asyncio.sleep(3600)
        del held
        return
    events = [asyncio.Event() for _ in range(count)]
    reading = [asyncio.create_task(_read(f"ws://{host}:{port}", e)) for e in events]
    for event in events:
        await event.wait()
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    await asyncio.gather(*reading)


if __name__ == "__main__":
    asyncio.run(_stay(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
