import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin, Subprotocol

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, websocket_clients
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_messages import (
    BINARY,
    JSON,
    StreamInfo,
    decode_person,
)
from tests.runtime.people import make_person, make_tick

ANY_PORT = Address("127.0.0.1", 0)
INFO = StreamInfo(body_model="embedded", n_betas=50, n_expression=43)


@pytest.fixture
def sink() -> Iterator[WebsocketSink]:
    sink = WebsocketSink(ANY_PORT, INFO, max_clients=3)
    yield sink
    sink.close()


@contextlib.contextmanager
def client(
    sink: WebsocketSink, *subprotocols: str, origin: str | None = None
) -> Iterator[Connection]:
    with connect(
        f"ws://{sink.address}",
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        origin=None if origin is None else Origin(origin),
        close_timeout=1,
    ) as connection:
        yield connection


@contextlib.contextmanager
def stuck_client(sink: WebsocketSink) -> Iterator[None]:
    """Connect, then read nothing: raw, so that no library does it behind our back."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect((sink.address.host, sink.address.port))
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b"101" in raw.recv(20)
        yield


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


def test_binary_client_gets_hello_shape_and_frames(sink: WebsocketSink) -> None:
    person = make_person(1, track_id=4, frame_index=12)
    as_sink: Sink = sink
    with client(sink, BINARY) as connection:
        assert connection.subprotocol == BINARY
        assert read_json(connection)["type"] == "hello"
        as_sink.send(make_tick(person))
        shape = read_json(connection)
        record = read_record(connection)
    assert (shape["type"], shape["track_id"]) == ("shape", 4)
    assert (record["track_id"], record["frame_index"]) == (4, 12)
    np.testing.assert_array_equal(record["rotations"], person.params.rotations)
    assert record["t_send_s"] == pytest.approx(time.monotonic(), abs=5)


def test_json_client_gets_text_only(sink: WebsocketSink) -> None:
    with client(sink, JSON) as connection:
        read_json(connection)
        sink.send(make_tick(make_person(1)))
        read_json(connection)
        frame = read_json(connection)
    assert frame["type"] == "person"
    np.testing.assert_allclose(frame["joints"], make_person(1).joints, atol=1e-6)


@pytest.mark.parametrize(
    ("offered", "chosen"), [((), None), ((JSON, BINARY), JSON), (("x", BINARY), BINARY)]
)
def test_subprotocol_is_the_clients_first_that_we_speak(
    sink: WebsocketSink, offered: tuple[str, ...], chosen: str | None
) -> None:
    with client(sink, *offered) as connection:
        assert connection.subprotocol == chosen


def test_foreign_subprotocol_is_refused(sink: WebsocketSink) -> None:
    with pytest.raises(InvalidStatus, match="400"), client(sink, "mqtt"):
        pass


def test_newcomer_is_told_the_shapes_in_view(sink: WebsocketSink) -> None:
    sink.send(make_tick(make_person(1, track_id=6)))
    with client(sink) as connection:
        (shape,) = read_json(connection)["shapes"]
    assert shape["track_id"] == 6


def test_shape_is_sent_again_only_when_it_changes(sink: WebsocketSink) -> None:
    with client(sink) as connection:
        read_json(connection)
        kinds = []
        for frame, shape_seed in enumerate([0, 0, 1, 1]):
            sink.send(
                make_tick(make_person(frame, frame_index=frame, shape_seed=shape_seed))
            )
            while True:
                message = connection.recv(timeout=5)
                kinds.append("frame" if isinstance(message, bytes) else "shape")
                if kinds[-1] == "frame":
                    break
    assert kinds == ["shape", "frame", "frame", "shape", "frame", "frame"]


def test_empty_view_sends_a_heartbeat(sink: WebsocketSink) -> None:
    with client(sink) as connection:
        read_json(connection)
        sink.send(make_tick(frame_index=8))
        alive = read_json(connection)
    assert (alive["type"], alive["people"], alive["frame_index"]) == ("alive", 0, 8)


def test_people_of_one_picture_share_its_number(sink: WebsocketSink) -> None:
    with client(sink) as connection:
        read_json(connection)
        sink.send(make_tick())
        read_json(connection)
        sink.send(make_tick(make_person(0, track_id=0), make_person(1, track_id=1)))
        records = [
            decode_person(message, INFO)
            for message in (connection.recv(timeout=5) for _ in range(4))
            if isinstance(message, bytes)
        ]
    assert [(r["track_id"], r["seq"], r["people"]) for r in records] == [
        (0, 1, 2),
        (1, 1, 2),
    ]


def test_slow_client_gets_the_newest_and_stalls_nobody(sink: WebsocketSink) -> None:
    with client(sink) as fast, stuck_client(sink):
        read_json(fast)
        longest = 0.0
        for frame in range(500):
            started = time.monotonic()
            sink.send(make_tick(make_person(0, frame_index=frame)))
            longest = max(longest, time.monotonic() - started)
            if frame == 0:
                read_json(fast)
            assert read_record(fast)["frame_index"] == frame
        quick, stuck = sorted(sink.clients, key=lambda status: status.dropped)
        assert longest < 0.5
        assert (quick.sent, quick.dropped) == (500, 0)
        # One may be half sent and one waits in the mailbox.
        assert stuck.sent + stuck.dropped >= 498
        # What waits in buffers, and is old when read, is about half a second's worth.
        assert stuck.sent < 30
        assert sink.dropped == stuck.dropped


def test_client_that_stays_stuck_is_cut_off(
    sink: WebsocketSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_clients, "_STALLED_S", 0.3)
    with stuck_client(sink):
        sends_until(sink, lambda: sink.dropped > 5)
        sends_until(sink, lambda: not sink.clients)
    assert sink.dropped > 5


def test_stuck_client_does_not_hold_up_the_end() -> None:
    sink = WebsocketSink(ANY_PORT, INFO)
    with stuck_client(sink):
        sends_until(sink, lambda: sink.dropped > 5)
        started = time.monotonic()
        sink.close()
        assert time.monotonic() - started < 5


def test_peer_that_never_says_a_word_does_not_hold_up_the_end() -> None:
    sink = WebsocketSink(ANY_PORT, INFO)
    with socket.create_connection((sink.address.host, sink.address.port)):
        time.sleep(0.1)
        started = time.monotonic()
        sink.close()
        assert time.monotonic() - started < 5


def test_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            SinkError, match=rf"127\.0\.0\.1:{port}: the port is in use"
        ):
            WebsocketSink(Address("127.0.0.1", port), INFO)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("192.0.2.1", "192.0.2.1 is not an address of this machine"),
        ("no-such-host.invalid", "cannot listen for websockets"),
    ],
)
def test_host_that_is_not_ours_is_one_sentence(host: str, sentence: str) -> None:
    with pytest.raises(SinkError, match=sentence):
        WebsocketSink(Address(host, 8765), INFO)


def test_foreign_page_is_refused_and_told_the_option(sink: WebsocketSink) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        client(sink, origin="https://evil.example"),
    ):
        pass
    response = refused.value.response
    assert response.status_code == 403
    assert b"--websocket-origin https://evil.example" in (response.body or b"")


@pytest.mark.parametrize("origin", ["http://localhost:3000", None])
def test_own_page_and_plain_program_are_let_in(
    sink: WebsocketSink, origin: str | None
) -> None:
    with client(sink, origin=origin) as connection:
        assert read_json(connection)["type"] == "hello"


def test_listed_origin_is_let_in() -> None:
    sink = WebsocketSink(ANY_PORT, INFO, origins=["null"])
    with client(sink, origin="null") as connection:
        assert read_json(connection)["type"] == "hello"
    sink.close()


def test_one_client_too_many_is_turned_away(sink: WebsocketSink) -> None:
    with client(sink) as one, client(sink), client(sink):
        read_json(one)
        with pytest.raises(InvalidStatus, match="503"), client(sink):
            pass
        assert len(sink.clients) == 3


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
    deadline = time.monotonic() + 5
    while sink.clients and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sink.clients == ()
    sink.send(make_tick(make_person(0)))


def test_what_is_no_websocket_harms_nothing(sink: WebsocketSink) -> None:
    for garbage in (b"", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", sink.address.port)) as raw:
            raw.sendall(garbage)
    with client(sink) as connection:
        assert read_json(connection)["type"] == "hello"


def test_close_delivers_the_last_frame_says_goodbye_and_frees_the_port() -> None:
    sink = WebsocketSink(ANY_PORT, INFO)
    with client(sink) as connection:
        read_json(connection)
        sink.send(make_tick(make_person(0, frame_index=99)))
        sink.close()
        read_json(connection)
        assert read_record(connection)["frame_index"] == 99
        with pytest.raises(ConnectionClosed, match="1001"):
            connection.recv(timeout=5)
    sink.close()
    WebsocketSink(sink.address, INFO).close()
