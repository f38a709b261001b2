import re
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.face import ARKIT_NAMES, FaceAngles, Turn
from pixie_runtime.sinks.ifacialmocap_messages import (
    Request,
    face_datagram,
    parse_request,
    unit_name,
)

REQUEST = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
LEVEL = Turn(0, 0, 0)
STRAIGHT = FaceAngles(LEVEL, LEVEL, LEVEL)
REST = np.zeros(52, np.float32)
HERE = np.zeros(3)

# From the example on the app's page for developers: one frame of a real phone.
_TEXT = """
mouthSmile_R eyeLookOut_L mouthUpperUp_L eyeWide_R mouthClose mouthPucker mouthRollLower
eyeBlink_R eyeLookDown_L cheekSquint_R eyeBlink_L tongueOut jawRight eyeLookIn_R
cheekSquint_L mouthDimple_L mouthPress_L eyeSquint_L mouthRight mouthShrugLower
eyeLookUp_R eyeLookOut_R mouthPress_R cheekPuff jawForward mouthLowerDown_L mouthFrown_L
mouthShrugUpper browOuterUp_L browInnerUp mouthDimple_R browDown_R mouthUpperUp_R
mouthRollUpper mouthFunnel mouthStretch_R mouthFrown_R eyeLookDown_R jawOpen jawLeft
browDown_L mouthSmile_L noseSneer_R mouthLowerDown_R noseSneer_L eyeWide_L
mouthStretch_L browOuterUp_R eyeLookIn_L eyeSquint_R eyeLookUp_L mouthLeft
"""
PHONES_NAMES = _TEXT.split()


class Received(NamedTuple):
    weights: dict[str, int]
    bones: dict[str, list[float]]


def receive(datagram: bytes, separator: str) -> Received:
    """Read a datagram as strictly as receivers do that other apps have to please.

    Integers only, one `=` before the head, a `|` at the end.
    """
    text = datagram.decode("ascii")
    weights_text, bones_text = text.split("=")
    assert text.endswith("|")
    weights = {}
    for part in weights_text.removesuffix("|").split("|"):
        name, value = part.split(separator)
        assert re.fullmatch(r"\d{1,3}", value)
        weights[name] = int(value)
    bones = {}
    for part in bones_text.removesuffix("|").split("|"):
        name, numbers = part.split("#")
        bones[name] = [float(number) for number in numbers.split(",")]
    return Received(weights, bones)


@given(
    values=st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52),
    separator=st.sampled_from("-&"),
)
def test_a_strict_receiver_reads_what_was_sent(
    values: list[float], separator: str
) -> None:
    weights = np.array(values, np.float32)
    datagram = face_datagram(weights, STRAIGHT, HERE, separator=separator)
    received = receive(datagram, separator)

    assert len(datagram) <= 1400
    assert received.weights == {
        unit_name(name): round(100 * value)
        for name, value in zip(ARKIT_NAMES, values, strict=True)
    }
    assert list(received.bones) == ["head", "rightEye", "leftEye"]


def test_names_are_those_of_a_phone() -> None:
    ours = receive(face_datagram(REST, STRAIGHT, HERE), "-").weights
    assert set(ours) == set(PHONES_NAMES)


def test_angles_are_degrees_with_the_phones_signs() -> None:
    """The same example says how a phone's eyes turn.

    Both its eyes look down (eyeLookDown 17) and their x is positive, 6 degrees. The
    right eye looks inwards (eyeLookIn_R 6), to the person's left, and its y is +2.4;
    the left one too (eyeLookIn_L 4), to the right, and its y is -1.7: ARKit's axes.
    """
    degrees = np.pi / 180
    angles = FaceAngles(
        head=Turn(yaw=30 * degrees, pitch=20 * degrees, roll=10 * degrees),
        left_eye=Turn(yaw=-1.7 * degrees, pitch=6 * degrees, roll=0),
        right_eye=Turn(yaw=2.4 * degrees, pitch=6 * degrees, roll=0),
    )
    place = np.array([0.1, 0.2, -0.65])
    bones = receive(face_datagram(REST, angles, place), "-").bones
    assert bones["head"] == pytest.approx([20, 30, 10, 0.1, 0.2, -0.65], abs=1e-4)
    assert bones["leftEye"] == pytest.approx([6, -1.7, 0], abs=1e-4)
    assert bones["rightEye"] == pytest.approx([6, 2.4, 0], abs=1e-4)


def test_numbers_are_never_written_with_an_exponent() -> None:
    tiny = FaceAngles(Turn(1e-9, -1e-9, 1e-7), LEVEL, LEVEL)
    assert b"e-" not in face_datagram(REST, tiny, np.full(3, 1e-9)).partition(b"=")[2]


@pytest.mark.parametrize(
    ("datagram", "request_"),
    [
        (REQUEST, Request("-")),
        (REQUEST + b"|sendDataVersion=v2", Request("&")),
        (REQUEST + b"|sendDataVersion=v3", None),
        (REQUEST[:-1], None),
        (REQUEST + b"\x00" * 2000, None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_only_the_apps_requests_are_requests(
    datagram: bytes, request_: Request | None
) -> None:
    assert parse_request(datagram) == request_
