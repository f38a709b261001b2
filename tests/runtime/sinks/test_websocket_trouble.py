"""What peers do wrong, and what befalls the machine: each harms at most one client."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from pixie_runtime.sinks import websocket
from pixie_runtime.sinks.websocket import WebsocketSink
from tests.runtime.people import make_person, make_tick
from tests.runtime.sinks.websocket_peers import (
    ANY_PORT,
    INFO,
    client,
    raw_client,
    read_json,
    read_record,
    sends_until,
    until,
)


@pytest.fixture
def sink() -> Iterator[WebsocketSink]:
    sink = WebsocketSink(ANY_PORT, INFO)
    yield sink
    sink.close()


def test_client_that_talks_too_much_is_cut_alone(sink: WebsocketSink) -> None:
    with client(sink) as quiet, client(sink) as loud:
        read_json(quiet)
        read_json(loud)
        loud.send("hello?")
        loud.send("x" * 5000)
        with pytest.raises(ConnectionClosed, match="1009"):
            loud.recv(timeout=5)
        sink.send(make_tick())
        assert read_json(quiet)["type"] == "alive"


def test_client_that_vanishes_is_forgotten(sink: WebsocketSink) -> None:
    with client(sink) as connection:
        read_json(connection)
        assert [status.format for status in sink.clients] == ["none"]
        connection.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: sink.clients, lambda clients: not clients)
    sink.send(make_tick(make_person(0)))


def test_what_is_no_websocket_harms_nothing(sink: WebsocketSink) -> None:
    for garbage in (b"", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", sink.address.port)) as raw:
            raw.sendall(garbage)
    with client(sink) as connection:
        assert read_json(connection)["type"] == "hello"


def exactly(raw: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        some = raw.recv(size - len(content))
        assert some, "the server went away"
        content += some
    return content


def next_frame(raw: socket.socket) -> tuple[int, bytes]:
    """Return opcode and payload of the next frame of a server (RFC 6455, 5.2)."""
    first, size = exactly(raw, 2)
    if size == 126:
        (size,) = struct.unpack("!H", exactly(raw, 2))
    return first & 0x0F, exactly(raw, size)


def close_code(raw: socket.socket) -> int:
    """Return the code that the server closes the connection with."""
    while True:
        opcode, payload = next_frame(raw)
        if opcode == 8:
            return int.from_bytes(payload[:2], "big")


def masked(first: int, payload: bytes) -> bytes:
    """Return a client's frame, masked with zeros, which change nothing."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(b"\x81\x02hi", 1002, id="not masked"),
        pytest.param(masked(0x83, b""), 1002, id="unknown opcode"),
        pytest.param(masked(0xC1, b"hi"), 1002, id="reserved bit, as if compressed"),
        pytest.param(masked(0x81, b"\xff\xfe"), 1007, id="text that is no UTF-8"),
        pytest.param(masked(0x09, b""), 1002, id="ping in pieces"),
        pytest.param(masked(0x80, b"hi"), 1002, id="continues nothing"),
        pytest.param(masked(0x88, b"\x03"), 1002, id="half a close code"),
        pytest.param(b"\x82\xff" + b"\x7f" * 8, 1009, id="announces exabytes"),
        pytest.param(b"\x82\xff" + b"\xff" * 8, 1009, id="announces more than that"),
    ],
)
def test_malformed_frame_ends_that_connection_and_no_other(
    sink: WebsocketSink, frame: bytes, code: int
) -> None:
    with client(sink) as quiet, raw_client(sink) as raw:
        read_json(quiet)
        raw.sendall(frame)
        assert close_code(raw) == code
        sink.send(make_tick(make_person(0, frame_index=5)))
        assert read_json(quiet)["type"] == "shape"
        assert read_record(quiet)["frame_index"] == 5
    until(lambda: sink.clients, lambda clients: not clients)


def test_random_bytes_end_that_connection_and_no_other(sink: WebsocketSink) -> None:
    with client(sink) as quiet:
        read_json(quiet)
        for _ in range(20):
            with raw_client(sink) as raw:
                raw.sendall(os.urandom(300))
        sink.send(make_tick(frame_index=1))
        assert read_json(quiet)["type"] == "alive"
        until(lambda: sink.clients, lambda clients: len(clients) == 1)


def test_client_that_leaves_in_the_middle_of_its_own_frame_is_forgotten(
    sink: WebsocketSink,
) -> None:
    with client(sink) as quiet:
        read_json(quiet)
        with raw_client(sink) as raw:
            raw.sendall(masked(0x81, b"hello")[:-2])
        until(lambda: sink.clients, lambda clients: len(clients) == 1)
        sink.send(make_tick())
        assert read_json(quiet)["type"] == "alive"


@pytest.mark.parametrize("reset", [False, True])
def test_client_that_leaves_in_the_middle_of_our_frame_is_forgotten(
    sink: WebsocketSink, reset: bool
) -> None:
    with client(sink) as quiet:
        read_json(quiet)
        with raw_client(sink) as raw:
            # Its buffers are full, so a frame is half sent.
            sends_until(
                sink, lambda: any(client.dropped > 5 for client in sink.clients)
            )
            if reset:
                linger = struct.pack("ii", 1, 0)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        until(lambda: sink.clients, lambda clients: len(clients) == 1)
        sink.send(make_tick(frame_index=9))
        while True:
            message = quiet.recv(timeout=5)
            if isinstance(message, str) and "alive" in message:
                break


def test_clock_that_is_set_is_told_and_every_stamp_goes_on(
    sink: WebsocketSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client(sink) as connection:
        zero_s = read_json(connection)["clock"]["unix_time_at_zero_s"]
        sink.send(make_tick(make_person(0)))
        assert read_json(connection)["type"] == "shape"
        before = read_record(connection)["t_send_s"]
        for offset_s, told in ((0.005, False), (-3600.0, True), (-3600.001, False)):
            monkeypatch.setattr(
                websocket, "_unix_time_at_zero_s", lambda at=zero_s + offset_s: at
            )
            sink.send(make_tick(make_person(0)))
            if told:
                clock = read_json(connection)
                assert clock["type"] == "clock"
                assert clock["unix_time_at_zero_s"] == zero_s + offset_s
            after = read_record(connection)["t_send_s"]
            assert 0 < after - before < 5
            before = after
        with client(sink) as newcomer:
            said = read_json(newcomer)["clock"]["unix_time_at_zero_s"]
    assert said == zero_s - 3600


def test_server_that_gets_no_turn_finds_the_newest_frame_only(
    sink: WebsocketSink,
) -> None:
    with client(sink) as connection:
        read_json(connection)
        sink.send(make_tick(make_person(0)))
        assert read_json(connection)["type"] == "shape"
        read_record(connection)
        asleep, awake = threading.Event(), threading.Event()

        def sleep() -> None:
            asleep.set()
            awake.wait()

        sink._server.call(sleep)
        asleep.wait()
        for frame in range(1, 101):
            sink.send(make_tick(make_person(0, frame_index=frame)))
        awake.set()
        assert read_record(connection)["frame_index"] == 100
        assert sink.dropped == 99


HUNDRED = 100


def test_hundred_clients_that_read_nothing_slow_neither_capture_nor_others(
    sink: WebsocketSink,
) -> None:
    frames = 60
    with ExitStack() as stuck, client(sink) as fast:
        for _ in range(HUNDRED):
            stuck.enter_context(raw_client(sink))
        read_json(fast)
        for frame in range(frames):
            sink.send(make_tick(make_person(0, frame_index=frame)))
            if frame == 0:
                read_json(fast)
            # Every one, at once, although 100 others wait.
            assert read_record(fast)["frame_index"] == frame
        # None of the others holds more than one frame back, in whatever state it is.
        clients = until(
            lambda: sink.clients,
            lambda clients: all(c.sent + c.dropped >= frames - 2 for c in clients),
        )
        assert len(clients) == HUNDRED + 1
        traffic = sink.traffic
    assert traffic.clients == HUNDRED + 1
    assert traffic.dropped == sum(client.dropped for client in clients)
    assert traffic.dropped > HUNDRED * frames / 3
