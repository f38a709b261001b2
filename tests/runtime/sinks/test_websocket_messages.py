import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.face import ARKIT_NAMES
from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.sinks.websocket_messages import (
    Moment,
    Shape,
    StreamInfo,
    alive_text,
    clock_text,
    decode_person,
    frame_dtype,
    hello_text,
    layout,
    person_record,
    person_text,
    shape_text,
)
from pixie_runtime.smplx import JOINT_NAMES, PARENTS
from tests.runtime.people import make_person

DOCUMENT = Path(__file__).parents[3] / "docs" / "websocket.md"
INFO = StreamInfo(body_model="embedded", n_betas=50, n_expression=43)
MOMENT = Moment(seq=9, people=1, sent_ns=2_500_000_000)


@settings(max_examples=20, deadline=None)
@given(n_betas=st.integers(0, 300), n_expression=st.integers(0, 100))
def test_frame_decoded_is_the_person_encoded(n_betas: int, n_expression: int) -> None:
    person = make_person(1, track_id=3, n_betas=n_betas, n_expression=n_expression)
    info = StreamInfo("embedded", n_betas, n_expression, arkit_names=ARKIT_NAMES)
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    message = person_record(person, MOMENT, weights).tobytes()

    record = decode_person(message, info)

    assert (record["track_id"], record["seq"], record["people"]) == (3, 9, 1)
    assert record["t_capture_s"] == person.times.grabbed_ns / 1e9
    assert record["t_send_s"] == 2.5
    np.testing.assert_array_equal(record["rotations"], person.params.rotations)
    np.testing.assert_array_equal(record["transl"], person.params.transl)
    np.testing.assert_array_equal(record["joints"], person.joints)
    np.testing.assert_array_equal(record["betas"], person.params.betas)
    np.testing.assert_array_equal(record["expression"], person.params.expression)
    np.testing.assert_array_equal(record["arkit"], weights)
    confidence = person.confidence
    np.testing.assert_allclose(
        record["confidence"],
        [confidence.body, confidence.left_hand, confidence.right_hand, confidence.face],
    )


def test_announced_layout_is_enough_to_read_a_frame() -> None:
    person = make_person(2)
    message = person_record(person, MOMENT).tobytes()
    codes = {"bytes": "s", "uint32": "I", "float32": "f", "float64": "d"}

    announced = json.loads(hello_text(INFO, {}, unix_time_at_zero_s=0))["binary"]
    read = {}
    for field in announced["fields"]:
        count = int(np.prod(field["shape"]))
        code = f"<{count}{codes[field['type']]}"
        read[field["name"]] = struct.unpack_from(code, message, field["offset"])

    assert announced["bytes"] == len(message)
    assert read["magic"] == (b"PIXF",)
    assert read["version"] == (announced["version"],)
    np.testing.assert_array_equal(np.reshape(read["joints"], (55, 3)), person.joints)
    assert read["t_source_s"] == (person.timestamp_s,)


def test_every_field_can_be_viewed_in_place() -> None:
    for field in layout(frame_dtype(300, 100, 52))["fields"]:
        size = 8 if field["type"] == "float64" else 4
        assert field["offset"] % size == 0


def test_json_frame_says_the_same_as_the_binary_one() -> None:
    record = person_record(make_person(4, track_id=1), MOMENT)
    decoded = json.loads(person_text(record))
    assert decoded.pop("type") == "person"
    for name, value in decoded.items():
        np.testing.assert_allclose(value, record[name], atol=1e-6)
    assert set(decoded) == set(record.dtype.names or ()) - {"magic", "version"}


def test_hello_explains_the_body() -> None:
    person = make_person(0)
    shape = Shape(person.params.betas, rest_offsets(person))
    hello = json.loads(hello_text(INFO, {5: shape}, unix_time_at_zero_s=1.5))
    assert hello["type"] == "hello"
    assert hello["joint_names"] == list(JOINT_NAMES)
    assert hello["parents"] == list(PARENTS)
    assert (hello["n_betas"], hello["n_expression"]) == (50, 43)
    assert hello["body_model"] == "embedded"
    assert hello["axes"]["camera"] == {"x": "right", "y": "down", "z": "forward"}
    assert hello["axes"]["handedness"] == "right"
    assert hello["units"]["length"] == "metre"
    assert hello["parts"] == ["body", "left_hand", "right_hand", "face"]
    assert hello["clock"] == {"unix_time_at_zero_s": 1.5}
    (said,) = hello["shapes"]
    assert said["track_id"] == 5
    np.testing.assert_allclose(said["rest_offsets"], shape.rest_offsets, atol=1e-6)
    np.testing.assert_allclose(said["betas"], shape.betas, atol=1e-6)


def test_hello_names_the_face_s_weights_where_there_are_any() -> None:
    hello = json.loads(hello_text(INFO, {}, unix_time_at_zero_s=0))
    assert (hello["arkit_names"], hello["face_note"]) == ([], None)
    assert "arkit" not in {field["name"] for field in hello["binary"]["fields"]}
    info = replace(INFO, arkit_names=ARKIT_NAMES, face_note="no tongue")
    hello = json.loads(hello_text(info, {}, unix_time_at_zero_s=0))
    assert hello["arkit_names"][-1] == "tongueOut"
    assert hello["face_note"] == "no tongue"
    last = hello["binary"]["fields"][-1]
    assert (last["name"], last["shape"]) == ("arkit", [52])


def test_shape_clock_and_alive_are_json_of_their_type() -> None:
    person = make_person(0)
    shape = json.loads(shape_text(2, Shape(person.params.betas, rest_offsets(person))))
    assert (shape["type"], shape["track_id"]) == ("shape", 2)
    assert json.loads(clock_text(2.5)) == {"type": "clock", "unix_time_at_zero_s": 2.5}
    alive = json.loads(alive_text(MOMENT, frame_index=4, t_source_s=0.25))
    assert alive == {
        "type": "alive",
        "seq": 9,
        "people": 1,
        "frame_index": 4,
        "t_source_s": 0.25,
        "t_send_s": 2.5,
    }


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            lambda m: m[:-4],
            "expected 1988 for 50 betas, 43 ",
        ),
        (lambda m: b"XXXX" + m[4:], "begins with b'XXXX"),
        (lambda m: m[:4] + b"\x09" + m[5:], "expected b'PIXF' and version 1"),
    ],
)
def test_foreign_frame_is_refused(damage: object, sentence: str) -> None:
    message = person_record(make_person(0), MOMENT).tobytes()
    assert callable(damage)
    with pytest.raises(ValueError, match=sentence):
        decode_person(damage(message), INFO)


def test_sizes_are_part_of_the_layout() -> None:
    assert frame_dtype(60, 43).itemsize == frame_dtype(50, 43).itemsize + 40


def test_every_field_and_key_of_the_hello_is_documented() -> None:
    text = DOCUMENT.read_text()
    fields = re.findall(r"^\| `(\w+)` \| (?:4 bytes|u?int|float)", text, re.M)
    assert fields == list(frame_dtype(50, 43, 52).names or ())
    hello = json.loads(hello_text(INFO, {}, unix_time_at_zero_s=0))
    assert [key for key in hello if f"`{key}`" not in text] == []
    assert set(re.findall(r"^\*\*`(\w+)`\*\*", text, re.M)) == {
        "hello",
        "shape",
        "clock",
        "alive",
        "person",
    }
