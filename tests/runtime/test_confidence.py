import numpy as np
import pytest

from pixie_runtime.confidence import confidence, joint_confidence
from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_HAND_JOINTS
from pixie_runtime.types import Float32, PersonLandmarks, PoseLandmarks

LEGS = slice(23, 33)


def pose(visibility: Float32) -> PoseLandmarks:
    points = np.zeros((33, 3), np.float32)
    return PoseLandmarks(points, points, visibility, visibility, 0.9)


def test_whoever_sits_at_a_desk_has_sure_arms_and_unsure_legs() -> None:
    visibility = np.ones(33, np.float32)
    visibility[LEGS] = 0.02
    landmarks = PersonLandmarks(pose=pose(visibility))
    found = confidence(landmarks, np.zeros(3, np.float32), np.ones(3, np.float32))
    sure = joint_confidence(landmarks, found)
    for joint in ("pelvis", "spine3", "head", "left_shoulder", "right_elbow"):
        assert sure[JOINT_INDEX[joint]] == pytest.approx(0.9)
    for joint in ("left_hip", "right_knee", "left_foot"):
        assert sure[JOINT_INDEX[joint]] < 0.05
    assert found.body < sure[0]


def test_a_forearm_is_as_sure_as_its_less_visible_end() -> None:
    visibility = np.ones(33, np.float32)
    visibility[15] = 0.5
    landmarks = PersonLandmarks(pose=pose(visibility))
    found = confidence(landmarks, np.zeros(3, np.float32), np.ones(3, np.float32))
    sure = joint_confidence(landmarks, found)
    assert sure[JOINT_INDEX["left_elbow"]] == pytest.approx(0.45)
    assert sure[JOINT_INDEX["left_shoulder"]] == pytest.approx(0.9)


def test_face_and_hands_make_head_and_wrists_sure_and_nothing_else() -> None:
    scores = np.array([0.8, 0.7, 0.0], np.float32)
    found = confidence(PersonLandmarks(), scores, np.ones(3, np.float32))
    sure = joint_confidence(PersonLandmarks(), found)
    assert sure[[JOINT_INDEX["neck"], JOINT_INDEX["head"]]] == pytest.approx(0.8)
    assert sure[JOINT_INDEX["left_wrist"]] == pytest.approx(0.7)
    assert sure[JOINT_INDEX["right_wrist"]] == 0
    assert not sure[[0, JAW, *LEFT_HAND_JOINTS]].any()
