"""Our streams, read by node with the npm packages "osc" and "ws"."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.face import ARKIT_NAMES
from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_admission import Admission
from pixie_runtime.sinks.websocket_messages import BINARY, JSON, StreamInfo
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.types import Float32, Person
from tests.programs import Output, running
from tests.runtime.people import make_person, make_tick

FOLDER = Path(__file__).parent / "node"
NODE = shutil.which("node")
TOKEN = "tell-nobody"

pytestmark = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules" / "osc").is_dir(),
    reason="no node with its packages here; scripts/receivers installs them",
)


def weights_of(person: Person) -> Float32:
    """Return a made-up face: what matters is that it arrives."""
    return np.linspace(0, 1 / (1 + person.track_id), 52, dtype=np.float32)


def wait_for_object(output: Output, text: str, **meanwhile: Any) -> Any:
    return json.loads(output.wait_for(text, **meanwhile))


def test_node_s_osc_reads_the_person_that_was_sent() -> None:
    person = make_person(4, track_id=3, frame_index=17)
    with running([str(NODE), FOLDER / "osc_receiver.js"]) as output:
        port = wait_for_object(output, "port")["port"]
        sink = OscSink(Address("127.0.0.1", port), face=weights_of)
        sink.send(make_tick(person))
        alive = wait_for_object(output, "/pixie/alive")
        parts = [wait_for_object(output, "/pixie/3/frame")]
        count = parts[0]["messages"][0]["values"][3]
        parts += [wait_for_object(output, "/pixie/3/frame") for _ in range(1, count)]
        sink.close()

    assert all(bundle["immediately"] for bundle in (alive, *parts))
    ((frame, time_s, people),) = [message["values"] for message in alive["messages"]]
    assert (frame, people) == (17, 1)
    assert time_s == pytest.approx(person.timestamp_s, rel=1e-6)
    assert [part["messages"][0]["values"][2:] for part in parts] == [
        [number, count] for number in range(count)
    ]
    received: dict[str, list[Any]] = {}
    for part in parts:
        for message in part["messages"]:
            name = message["address"].removeprefix("/pixie/3/")
            received.setdefault(name, []).append(message["values"])

    params = person.params
    (root,) = received["root"]
    np.testing.assert_allclose(
        root, [*person.joints[0], *params.rotations[0]], atol=1e-5
    )
    joints = {name: wxyz for name, *wxyz in received["joint"]}
    in_order = [joints[name] for name in JOINT_NAMES[1:]]
    np.testing.assert_allclose(in_order, params.rotations[1:], atol=1e-5)
    np.testing.assert_allclose(received["transl"][0], params.transl, atol=1e-5)
    np.testing.assert_allclose(received["arkit"][0], weights_of(person), atol=1e-5)
    rest = np.reshape(received["rest"][0][2:], (55, 3))
    np.testing.assert_allclose(rest, rest_offsets(person), atol=1e-5)
    np.testing.assert_allclose(received["betas"][0][2:], params.betas, atol=1e-5)
    expression = received["expression"][0]
    assert expression[:2] == [0, len(params.expression)]
    np.testing.assert_allclose(expression[2:], params.expression, atol=1e-5)


@pytest.mark.parametrize("form", [BINARY, JSON])
def test_node_s_ws_reads_the_person_that_was_sent(form: str) -> None:
    info = StreamInfo("embedded", 50, 43, arkit_names=ARKIT_NAMES)
    sink = WebsocketSink(
        Address("127.0.0.1", 0), info, face=weights_of, admission=Admission(token=TOKEN)
    )
    people = [make_person(seed, track_id=seed, frame_index=5) for seed in (1, 2)]
    script = FOLDER / "websocket_receiver.js"
    url = f"ws://{sink.address}"
    with running([str(NODE), script, url, form, f"pixie.token.{TOKEN}"]) as output:
        # "ws" offers compression; the server is to decline.
        opened = {"type": "open", "subprotocol": form, "extensions": ""}
        assert wait_for_object(output, '"open"') == opened
        hello = wait_for_object(output, '"hello"')
        sink.send(make_tick(*people))
        shapes = [wait_for_object(output, '"shape"') for _ in people]
        kind = '"binary"' if form == BINARY else '"person"'
        frames = [wait_for_object(output, kind) for _ in people]
        sink.close()
        assert wait_for_object(output, '"close"') == {"type": "close", "code": 1001}

    assert hello["joint_names"] == list(JOINT_NAMES)
    assert [shape["track_id"] for shape in shapes] == [1, 2]
    for person, frame in zip(people, frames, strict=True):
        if form == BINARY:
            assert bytes(frame["magic"]) == b"PIXF"
            assert frame["bytes"] == hello["binary"]["bytes"]
        expected: dict[str, Any] = {
            "track_id": person.track_id,
            "people": 2,
            "frame_index": 5,
            "t_source_s": person.timestamp_s,
            "t_capture_s": person.times.grabbed_ns / 1e9,
            "transl": person.params.transl,
            "rotations": person.params.rotations,
            "joints": person.joints,
            "betas": person.params.betas,
            "expression": person.params.expression,
            "arkit": weights_of(person),
        }
        for name, value in expected.items():
            got = np.reshape(frame[name], np.shape(value))
            np.testing.assert_allclose(got, value, atol=1e-5, err_msg=name)
