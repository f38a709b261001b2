import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pixie_runtime.addresses import Address
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.face import ARKIT_NAMES, FaceMap
from pixie_runtime.sinks.network import open_network_sinks
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_messages import StreamInfo
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.types import Float32
from tests.runtime.people import make_person, make_tick
from tests.runtime.receivers.osc import Message, read_bundle
from tests.runtime.sinks.live_link_face_decoder import decode

INFO = StreamInfo(body_model="embedded", n_betas=50, n_expression=43)


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def udp_receivers(opened: ExitStack, count: int) -> Iterator[socket.socket]:
    for _ in range(count):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.enter_context(receiver)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        yield receiver


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def face_received(receiver: socket.socket) -> Float32:
    while True:
        for message in OscBundle(receiver.recv(2000)):
            if message.address.endswith("/arkit"):
                return np.array(list(message), np.float32)


def test_every_output_is_opened_as_often_as_it_was_asked_for_and_tells_the_face(
    model: BodyModel,
) -> None:
    person = make_person(3)
    expected = FaceMap.of(model, 43).weights(person)
    with ExitStack() as opened:
        receivers = list(udp_receivers(opened, 2))
        options = StreamOptions(
            osc=tuple(f"127.0.0.1:{r.getsockname()[1]}" for r in receivers),
            websocket=(str(free_port()), str(free_port())),
        )
        sinks = list(open_network_sinks(options, model, INFO))
        assert [sink.name for sink in sinks] == [
            *(f"osc {text}" for text in options.osc),
            *(f"websocket 127.0.0.1:{text}" for text in options.websocket),
        ]
        streams = [
            opened.enter_context(connect(f"ws://127.0.0.1:{port}"))
            for port in options.websocket
        ]
        hellos = [json.loads(stream.recv(5)) for stream in streams]
        for sink in sinks:
            sink.send(make_tick(person))
        for receiver in receivers:
            np.testing.assert_array_equal(face_received(receiver), expected)
        for hello, stream in zip(hellos, streams, strict=True):
            assert hello["arkit_names"] == list(ARKIT_NAMES)
            assert "gaze" in hello["face_note"]
            assert json.loads(stream.recv(5))["type"] == "shape"
            frame = stream.recv(5)
            assert isinstance(frame, bytes)
            weights = np.frombuffer(frame[-4 * 52 :], "<f4")
            np.testing.assert_array_equal(weights, expected)
        for sink in sinks:
            sink.close()


def test_datagrams_are_as_short_as_asked_and_people_apart(model: BodyModel) -> None:
    with ExitStack() as opened:
        (receiver,) = udp_receivers(opened, 1)
        port = receiver.getsockname()[1]
        options = StreamOptions(
            osc=(f"127.0.0.1:{port}",), datagram=600, port_per_person=1
        )
        (sink,) = open_network_sinks(options, model, INFO)
        assert sink.name == f"osc 127.0.0.1:{port} to {port}"
        sink.send(make_tick(make_person(0), make_person(1, track_id=1)))
        sink.close()
        receiver.settimeout(0.2)
        datagrams = []
        with suppress(TimeoutError):
            while True:
                datagrams.append(receiver.recv(2000))
    assert 500 < max(len(datagram) for datagram in datagrams) <= 600
    assert not any(b"/pixie/1/" in datagram for datagram in datagrams)


def test_websocket_lets_in_whom_the_options_let_in(model: BodyModel) -> None:
    port = free_port()
    options = StreamOptions(
        websocket=(str(port),), websocket_token="open-sesame", websocket_clients=1
    )
    (sink,) = open_network_sinks(options, model, INFO)
    assert isinstance(sink, WebsocketSink)
    assert sink.address == Address("127.0.0.1", port)
    url = f"ws://127.0.0.1:{port}"
    with pytest.raises(InvalidStatus, match="401"):
        connect(url)
    with connect(f"{url}/?token=open-sesame") as one:
        one.recv(5)
        with pytest.raises(InvalidStatus, match="503"):
            connect(f"{url}/?token=open-sesame")
    sink.close()


def test_faces_go_out_by_live_link_face_and_ifacialmocap(model: BodyModel) -> None:
    smiling = make_person(3)
    expected = FaceMap.of(model, 43).weights(smiling)
    with ExitStack() as opened:
        unreal, computer = udp_receivers(opened, 2)
        waiting_at = free_port()
        options = StreamOptions(
            live_link_face=(f"127.0.0.1:{unreal.getsockname()[1]}",),
            live_link_subject="Ann",
            ifacialmocap=(f"127.0.0.1:{computer.getsockname()[1]}",),
            ifacialmocap_listen=(f"127.0.0.1:{waiting_at}",),
            port_per_person=1,
        )
        sinks = list(open_network_sinks(options, model, INFO))
        for sink in sinks:
            sink.send(make_tick(smiling))
            opened.callback(sink.close)
        assert [sink.name for sink in sinks] == [
            f"live-link-face {options.live_link_face[0]}",
            f"ifacialmocap {options.ifacialmocap[0]} to {computer.getsockname()[1]}",
            f"ifacialmocap at 127.0.0.1:{waiting_at}",
        ]
        packet = decode(unreal.recv(2000))
        assert packet.subject == "Ann-0"
        assert packet.values is not None
        np.testing.assert_array_equal([*packet.values.values()][:52], expected)
        blink = round(100 * float(expected[0]))
        assert computer.recv(2000).startswith(f"eyeBlink_L-{blink}|".encode())


def test_vmc_is_opened_with_the_settings_and_the_face(model: BodyModel) -> None:
    person = make_person(3)
    weights = FaceMap.of(model, 43).weights(person)
    with ExitStack() as opened:
        (receiver,) = udp_receivers(opened, 1)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        options = StreamOptions(
            vmc=(address,), vmc_blends=("arkit",), vmc_root="root", datagram=700
        )
        (sink,) = open_network_sinks(options, model, INFO)
        opened.callback(sink.close)
        assert sink.name == f"vmc {address}"
        sink.send(make_tick(person))
        messages: list[Message] = []
        while not messages or messages[-1].address != "/VMC/Ext/Blend/Apply":
            datagram = receiver.recv(2000)
            assert len(datagram) <= 700
            messages += read_bundle(datagram).messages
    blends = {
        str(message.values[0]): message.values[1]
        for message in messages
        if message.address == "/VMC/Ext/Blend/Val"
    }
    assert blends == dict(zip(ARKIT_NAMES, weights.tolist(), strict=True))
    named = {message.values[0]: message.values[1:] for message in messages[1:-1]}
    assert named["root"][3:] == (0, 0, 0, 1)
    x, height, z = named["Hips"][:3]
    assert (x, z) == pytest.approx((0, 0), abs=1e-6)
    assert float(height) > 0.1
