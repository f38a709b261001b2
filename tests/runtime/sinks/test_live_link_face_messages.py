import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.face import ARKIT_NAMES, FaceAngles, Turn, pascal_case
from pixie_runtime.sinks.live_link_face_messages import face_datagram, no_face_datagram
from tests.runtime.sinks.live_link_face_decoder import NAMES, decode

LEVEL = Turn(0, 0, 0)
STRAIGHT = FaceAngles(LEVEL, LEVEL, LEVEL)
REST = np.zeros(52, np.float32)


def test_our_names_are_the_receivers_first_52() -> None:
    assert [pascal_case(name) for name in ARKIT_NAMES] == NAMES[:52]


@given(
    subject=st.text(max_size=25),
    seconds=st.floats(0, 86399.9),
    values=st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52),
)
def test_an_independent_receiver_reads_what_was_sent(
    subject: str, seconds: float, values: list[float]
) -> None:
    weights = np.array(values, np.float32)
    packet = decode(face_datagram(subject, seconds, weights, STRAIGHT))

    assert (packet.version, packet.fps, packet.denominator) == (6, 60, 1)
    assert packet.subject == subject
    assert packet.seconds == pytest.approx(seconds, abs=1e-5)
    assert 0 <= packet.sub_frame <= 1
    assert packet.values is not None
    assert [packet.values[pascal_case(name)] for name in ARKIT_NAMES] == values
    assert [packet.values[name] for name in NAMES[52:]] == [0.0] * 9


def test_angles_have_the_apps_own_signs() -> None:
    """As in open senders and receivers of it: MeFaMo, and VRM receivers.

    Yaw to the person's left and roll that lifts their left side are positive as in
    ARKit, pitch is positive upwards. The eyes' angles are Unreal's, whose axes are
    left-handed: yaw to the person's right, pitch down.
    """
    angles = FaceAngles(
        head=Turn(yaw=0.3, pitch=0.2, roll=0.1),
        left_eye=Turn(yaw=0.06, pitch=0.05, roll=0.04),
        right_eye=Turn(yaw=-0.03, pitch=-0.02, roll=-0.01),
    )
    values = decode(face_datagram("a", 0.0, REST, angles)).values
    assert values is not None
    assert [values[name] for name in NAMES[52:]] == pytest.approx(
        [0.3, -0.2, 0.1, -0.06, 0.05, -0.04, 0.03, -0.02, 0.01]
    )


def test_no_face_is_a_packet_without_its_tail() -> None:
    whole = face_datagram("a", 7.25, REST, STRAIGHT)
    none = no_face_datagram("a", 7.25)
    assert decode(none).values is None
    assert decode(none).seconds == 7.25
    assert whole.startswith(none)
    assert len(whole) == len(none) + 1 + 61 * 4


def test_a_subject_has_one_device_and_others_have_others() -> None:
    devices = {name: decode(no_face_datagram(name, 0.0)).uuid for name in ("a", "b")}
    assert devices["a"] != devices["b"]
    assert decode(no_face_datagram("a", 9.0)).uuid == devices["a"]
    for device in devices.values():
        assert device.startswith("$")
        uuid.UUID(device[1:])


def test_time_goes_on_over_midnight() -> None:
    assert decode(no_face_datagram("a", 86400.5)).seconds == pytest.approx(0.5)


def test_a_subject_that_fills_the_datagram_is_refused() -> None:
    with pytest.raises(ValueError, match="101 bytes"):
        no_face_datagram("a" * 101, 0.0)
