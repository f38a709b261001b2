from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime import rotations
from pixie_runtime.face.eye_view import Side, eye_view
from pixie_runtime.types import EyeLandmarks, Float64
from tests.runtime.face.seen_eyes import CAMERA, Eyes, rotation, seen_eye

FACING = np.diag([1.0, -1.0, -1.0])
AHEAD = np.array([0.0, 0.0, 0.7])


def wxyz(R: Float64) -> Float64:
    return np.asarray(rotations.from_matrix(R), np.float64)


@settings(max_examples=60, deadline=None)
@given(
    yaw=st.floats(-0.5, 0.5),
    pitch=st.floats(-0.4, 0.4),
    opening=st.floats(0.02, 0.45),
    head_yaw=st.floats(-0.5, 0.5),
    head_pitch=st.floats(-0.4, 0.4),
    head_roll=st.floats(-0.8, 0.8),
    x=st.floats(-0.25, 0.25),
    y=st.floats(-0.12, 0.12),
    side=st.sampled_from(get_args(Side)),
)
def test_an_eye_seen_from_anywhere_does_what_it_does(
    yaw: float,
    pitch: float,
    opening: float,
    head_yaw: float,
    head_pitch: float,
    head_roll: float,
    x: float,
    y: float,
    side: Side,
) -> None:
    R = FACING @ rotation(head_yaw, head_pitch, head_roll)
    turned = R @ rotation(yaw, pitch)[:, 2]
    place = np.array([x, y, 0.7])
    towards = -turned @ place / np.linalg.norm(place)
    eyes = Eyes(yaw, pitch, left=opening, right=opening)
    view = eye_view(seen_eye(eyes, side, R, place), side, wxyz(R), CAMERA)
    assert view is not None
    assert view.opening == pytest.approx(opening, abs=0.005)
    if towards > 0.75:  # who looks far away from the camera shows little of the iris
        assert view.yaw == pytest.approx(yaw, abs=0.035)
        assert view.pitch == pytest.approx(pitch, abs=0.035)


def test_left_is_the_persons_left_and_down_is_down() -> None:
    eye = seen_eye(Eyes(), "left", FACING, AHEAD)
    to_picture_right_and_down = np.array([2, 2], np.float32)
    moved = EyeLandmarks(eye.lids, eye.iris + to_picture_right_and_down)
    view = eye_view(moved, "left", wxyz(FACING), CAMERA)
    assert view is not None
    assert view.yaw > 0.1
    assert view.pitch > 0.1


def test_an_eye_that_is_turned_away_tells_nothing() -> None:
    R = FACING @ rotation(1.4, 0.0)
    assert eye_view(seen_eye(Eyes(), "left", R, AHEAD), "left", wxyz(R), CAMERA) is None


def test_an_eye_without_width_tells_nothing() -> None:
    point = EyeLandmarks(np.zeros((16, 2), np.float32), np.zeros((5, 2), np.float32))
    assert eye_view(point, "right", wxyz(FACING), CAMERA) is None


def test_an_iris_outside_the_eye_is_still_a_look() -> None:
    eye = seen_eye(Eyes(), "left", FACING, AHEAD)
    lost = EyeLandmarks(eye.lids, eye.iris + np.array([500, 0], np.float32))
    view = eye_view(lost, "left", wxyz(FACING), CAMERA)
    assert view is not None
    assert 0.5 < view.yaw < 1.0
