import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, websocket_clients
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_admission import Admission
from pixie_runtime.sinks.websocket_messages import (
    BINARY,
    JSON,
    decode_person,
)
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
    sink = WebsocketSink(ANY_PORT, INFO, admission=Admission(max_clients=3))
    yield sink
    sink.close()


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
    with client(sink) as fast, raw_client(sink):
        read_json(fast)
        longest = 0.0
        for frame in range(500):
            started = time.monotonic()
            sink.send(make_tick(make_person(0, frame_index=frame)))
            longest = max(longest, time.monotonic() - started)
            if frame == 0:
                read_json(fast)
            assert read_record(fast)["frame_index"] == frame
        quick, stuck = until(
            lambda: sorted(sink.clients, key=lambda status: status.dropped),
            lambda clients: clients[0].sent == 500,
        )
        assert longest < 0.5
        assert quick.dropped == 0
        # One may be half sent and one waits in the mailbox.
        assert stuck.sent + stuck.dropped >= 498
        # What waits in buffers, and is old when read, is about half a second's worth.
        assert stuck.sent < 30
        assert sink.dropped == stuck.dropped


def test_client_that_stays_stuck_is_cut_off(
    sink: WebsocketSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_clients, "_STALLED_S", 0.3)
    with raw_client(sink):
        sends_until(sink, lambda: sink.dropped > 5)
        sends_until(sink, lambda: not sink.clients)
    assert sink.dropped > 5


def test_stuck_client_does_not_hold_up_the_end() -> None:
    sink = WebsocketSink(ANY_PORT, INFO)
    with raw_client(sink):
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
