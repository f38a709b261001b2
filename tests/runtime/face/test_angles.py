"""The signs of a head's angles, from what a turned head looks like.

ARKit's camera axes are x right, y up, z to the camera. Who looks into the camera is not
turned; the person's left is then the picture's right, where x is positive. A nose that
moves to the person's left moves along x, and y cross z is x: that is a positive
rotation about y.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime import rotations
from pixie_runtime.face import FaceAngles, Turn, head_place, head_rotation
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float64, Person
from tests.runtime.face.people import facing_the_camera, turned

NOSE, CROWN, LEFT = np.eye(3)[[2, 1, 0]]
"""A face's own axes: z out of the face, y up, x to the person's left."""


def in_picture(person: Person, of_face: Float64) -> Float64:
    """Return where a direction of the face goes: right, up and to the camera."""
    wxyz = person.params.rotations.astype(np.float64)
    for name in ("head", "neck", "spine3", "spine2", "spine1", "pelvis"):
        of_face = np.asarray(rotations.apply(wxyz[JOINT_INDEX[name]], of_face))
    return np.asarray(of_face * (1, -1, -1))  # our camera's y points down, its z away


def test_who_faces_the_camera_is_not_turned() -> None:
    angles = FaceAngles.of(facing_the_camera())
    for turn in (angles.head, angles.left_eye, angles.right_eye):
        assert (turn.yaw, turn.pitch, turn.roll) == pytest.approx((0, 0, 0), abs=1e-6)


@pytest.mark.parametrize("joint", ["head", "neck", "spine2", "pelvis"])
def test_turning_to_the_left_is_a_positive_yaw(joint: str) -> None:
    person = turned(facing_the_camera(), **{joint: (0, 0.3, 0)})
    assert in_picture(person, NOSE)[0] > 0.2  # the picture's right: the person's left
    assert FaceAngles.of(person).head.yaw == pytest.approx(0.3, abs=1e-6)


def test_looking_down_is_a_positive_pitch() -> None:
    person = turned(facing_the_camera(), head=(0.3, 0, 0))
    assert in_picture(person, NOSE)[1] < -0.2
    assert FaceAngles.of(person).head.pitch == pytest.approx(0.3, abs=1e-6)


def test_lifting_the_left_side_is_a_positive_roll() -> None:
    person = turned(facing_the_camera(), head=(0, 0, 0.3))
    assert in_picture(person, LEFT)[1] > 0.2  # the left ear goes up,
    assert in_picture(person, CROWN)[0] < -0.2  # the crown to their right
    assert FaceAngles.of(person).head.roll == pytest.approx(0.3, abs=1e-6)


def test_eyes_are_turned_within_the_head() -> None:
    person = turned(
        facing_the_camera(),
        head=(0.2, 0.5, 0),
        left_eye_smplhf=(0.1, 0, 0),
        right_eye_smplhf=(0, -0.1, 0),
    )
    angles = FaceAngles.of(person)
    assert angles.left_eye.pitch == pytest.approx(0.1, abs=1e-6)
    assert angles.right_eye.yaw == pytest.approx(-0.1, abs=1e-6)


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
def test_angles_are_applied_roll_first_yaw_last(
    yaw: float, pitch: float, roll: float
) -> None:
    about = (
        rotations.from_rotvec(np.array(w, np.float64))
        for w in ((0, yaw, 0), (pitch, 0, 0), (0, 0, roll))
    )
    y, x, z = about
    turn = Turn.of(rotations.multiply(y, rotations.multiply(x, z)))
    assert (turn.yaw, turn.pitch, turn.roll) == pytest.approx(
        (yaw, pitch, roll), abs=1e-5
    )


def test_the_head_is_where_the_camera_sees_it() -> None:
    person = facing_the_camera()
    person.joints[JOINT_INDEX["head"]] = (0.1, -0.2, 1.5)  # right, above, before it
    np.testing.assert_allclose(head_place(person), (0.1, 0.2, -1.5), atol=1e-6)
    np.testing.assert_allclose(head_rotation(person), (1, 0, 0, 0), atol=1e-6)
