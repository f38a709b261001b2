import numpy as np
import pytest

from pixie_runtime.confidence import confidence, joint_confidence
from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_HAND_JOINTS, LIMB_JOINTS
from pixie_runtime.types import Camera, Float32, PersonLandmarks, PoseLandmarks

CAMERA = Camera.with_field_of_view(640, 480, 60)
LEGS, LEFT_ELBOW, LEFT_WRIST = slice(23, 33), 13, 15


def sureness(
    pose: PoseLandmarks | None = None, left_hand: float = 0.0, face: float = 0.0
) -> tuple[float, Float32]:
    """Return how sure the body is, and all joints."""
    landmarks = PersonLandmarks(pose=pose)
    scores = np.array([face, left_hand, 0.0], np.float32)
    found = confidence(landmarks, scores, np.ones(3, np.float32))
    return found.body, joint_confidence(landmarks, found, CAMERA)


def pose(**hidden: tuple[int | slice, float]) -> PoseLandmarks:
    """Return a pose in the middle of the picture, some landmarks less visible."""
    points = np.full((33, 3), 200, np.float32)
    visibility = np.ones(33, np.float32)
    for where, seen in hidden.values():
        visibility[where] = seen
    return PoseLandmarks(points, points, visibility, visibility, 0.9)


def test_whoever_sits_at_a_desk_has_sure_arms_and_unsure_legs() -> None:
    seated = pose(legs=(LEGS, 0.02))
    seated.image[LEGS, 1] = 700
    body, sure = sureness(seated)
    for joint in ("pelvis", "spine3", "head", "left_shoulder", "right_elbow"):
        assert sure[JOINT_INDEX[joint]] == pytest.approx(0.9)
    for joint in ("left_hip", "right_knee", "left_foot"):
        assert sure[JOINT_INDEX[joint]] < 0.05
    assert 0.1 < body < 0.9


def test_what_is_hidden_within_the_picture_is_as_sure_as_the_body() -> None:
    body, sure = sureness(pose(elbow=(LEFT_ELBOW, 0.0)))
    assert sure[JOINT_INDEX["left_elbow"]] == pytest.approx(body)
    assert sure[JOINT_INDEX["right_elbow"]] == pytest.approx(0.9)


def test_an_arm_that_leaves_the_picture_is_no_surer_than_it_is_visible() -> None:
    reaching = pose(wrist=(LEFT_WRIST, 0.5))
    reaching.image[LEFT_WRIST, 0] = -1
    _, sure = sureness(reaching)
    assert sure[JOINT_INDEX["left_elbow"]] == pytest.approx(0.45)
    assert sure[JOINT_INDEX["left_shoulder"]] == pytest.approx(0.9)


def test_an_arm_is_as_sure_as_the_hand_that_waves_into_the_picture() -> None:
    waving = pose(elbow=(LEFT_ELBOW, 0.0))
    waving.image[LEFT_ELBOW, 1] = 500
    _, sure = sureness(waving, left_hand=0.8)
    for joint in ("left_shoulder", "left_elbow"):
        assert sure[JOINT_INDEX[joint]] == pytest.approx(0.8)


def test_a_face_makes_the_head_sure_and_nothing_else_of_a_body() -> None:
    body, sure = sureness(face=0.8)
    assert body == 0
    head = [JOINT_INDEX["neck"], JOINT_INDEX["head"], JAW]
    assert sure[head] == pytest.approx(0.8)
    assert not sure[[0, *LIMB_JOINTS, *LEFT_HAND_JOINTS]].any()
