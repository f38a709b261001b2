"""Clients of a websocket sink, well-behaved and not."""

import asyncio
import contextlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin, Subprotocol

from pixie_runtime.addresses import Address
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_messages import StreamInfo, decode_person
from tests.runtime.people import make_person, make_tick

ANY_PORT = Address("127.0.0.1", 0)
INFO = StreamInfo(body_model="embedded", n_betas=50, n_expression=43)
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
T = TypeVar("T")


@contextlib.contextmanager
def client(
    sink: WebsocketSink,
    *subprotocols: str,
    origin: str | None = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> Iterator[Connection]:
    """Connect as a program does that means well."""
    with connect(
        f"ws://{sink.address}/{query}",
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        origin=None if origin is None else Origin(origin),
        additional_headers=headers,
        close_timeout=1,
    ) as connection:
        yield connection


def first_over_tls(sink: WebsocketSink, trusting: ssl.SSLContext) -> tuple[str, Any]:
    """Connect with TLS; return its version and the first message.

    Not with `client`, which reads in a thread of its own: before Python 3.13 a process
    may crash when one thread reads from a TLS socket while another one writes.
    """

    async def run() -> tuple[str, Any]:
        uri = f"wss://{sink.address}/"
        async with connect_async(uri, ssl=trusting, close_timeout=1) as connection:
            async with asyncio.timeout(5):
                text = await connection.recv()
            version: str = connection.transport.get_extra_info("ssl_object").version()
            return version, json.loads(text)

    return asyncio.run(run())


@contextlib.contextmanager
def raw_socket(sink: WebsocketSink) -> Iterator[socket.socket]:
    """Connect and say nothing: raw, so that no library reads behind our back."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(5)
        raw.connect((sink.address.host, sink.address.port))
        yield raw


@contextlib.contextmanager
def raw_client(sink: WebsocketSink) -> Iterator[socket.socket]:
    """Connect as a client, then do nothing."""
    with raw_socket(sink) as raw:
        raw.sendall(HANDSHAKE)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += raw.recv(1)
        assert head.startswith(b"HTTP/1.1 101")
        yield raw


def until(ask: Callable[[], T], reached: Callable[[T], bool]) -> T:
    """Return the answer once it is as wanted; ask over and over."""
    deadline = time.monotonic() + 20
    while not reached(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.005)
    return answer


def sends_until(sink: WebsocketSink, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        sink.send(make_tick(make_person(0)))
        time.sleep(0.005)


def read_json(connection: Connection) -> Any:
    text = connection.recv(timeout=5)
    assert isinstance(text, str)
    return json.loads(text)


def read_record(connection: Connection) -> Any:
    message = connection.recv(timeout=5)
    assert isinstance(message, bytes)
    return decode_person(message, INFO)
