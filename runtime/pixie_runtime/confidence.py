"""How sure we are of each part, out of detectors' scores and moderators' weights."""

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import (
    BODY_JOINTS,
    JOINT_COUNT,
    JOINT_INDEX,
    JOINT_NAMES,
)
from pixie_runtime.types import (
    Float32,
    PartConfidence,
    PersonLandmarks,
    PoseLandmarks,
)

_LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]

_TRUNK = (11, 12)
"""The shoulders: what they show of a trunk, hips below the picture do not take away."""

_SHOWN_BY = {
    "neck": (0, 11, 12),
    "head": (0, 11, 12),
    "left_shoulder": (11, 13),
    "right_shoulder": (12, 14),
    "left_elbow": (13, 15),
    "right_elbow": (14, 16),
    "left_wrist": (15,),
    "right_wrist": (16,),
    "left_hip": (23, 25),
    "right_hip": (24, 26),
    "left_knee": (25, 27),
    "right_knee": (26, 28),
    "left_ankle": (27,),
    "right_ankle": (28,),
    "left_foot": (27,),
    "right_foot": (28,),
}
"""BlazePose's landmarks that show how a joint is turned: both ends of the bone that
turns with it. All other joints of the body are the trunk's."""


def _landmarks_by_joint() -> npt.NDArray[np.intp]:
    shown_by = np.zeros((len(BODY_JOINTS) + 1, 3), np.intp)
    for joint in range(len(shown_by)):
        shown_by[joint] = np.resize(_SHOWN_BY.get(JOINT_NAMES[joint], _TRUNK), 3)
    return shown_by


_LANDMARKS = _landmarks_by_joint()
"""For pelvis and joints of the body the landmarks that show them, (22, 3)."""
_NECK_AND_HEAD = [JOINT_INDEX["neck"], JOINT_INDEX["head"]]
_LEFT_WRIST, _RIGHT_WRIST = JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]


def confidence(
    landmarks: PersonLandmarks, scores: Float32, weights: Float32
) -> PartConfidence:
    """Return how sure we are of each part.

    Body: the detector's score times the mean visibility of the limbs. Other parts:
    their score times the weight that the moderator gave their expert.

    Args:
        landmarks: what was found of the person.
        scores: how sure it is that head, left and right hand were looked at, (3,) in
            [0, 1], 0 where a part was not.
        weights: the experts' weights in the same order, (3,) in [0, 1].
    """
    head, left, right = (scores * weights).tolist()
    return PartConfidence(
        body=body_confidence(landmarks.pose),
        left_hand=left,
        right_hand=right,
        face=head,
    )


def body_confidence(pose: PoseLandmarks | None) -> float:
    """Return the pose's score times the mean visibility of its limbs; 0 for None."""
    return pose.score * float(pose.visibility[_LIMBS].mean()) if pose else 0.0


def joint_confidence(landmarks: PersonLandmarks, found: PartConfidence) -> Float32:
    """Return how sure we are of each joint by what was seen of itself, (55,).

    A joint of the body: the pose's score times the visibility of the least visible
    landmark that shows it. Neck and head are also as sure as the face, a wrist as its
    hand, for these were looked at from near. Joints of hands and face: 0, their
    parts' confidences say all.

    Args:
        landmarks: what was found of the person.
        found: how sure we are of its parts.
    """
    sure = np.zeros(JOINT_COUNT, np.float32)
    pose = landmarks.pose
    if pose is not None:
        sure[: len(_LANDMARKS)] = pose.score * pose.visibility[_LANDMARKS].min(axis=1)
    sure[_NECK_AND_HEAD] = np.maximum(sure[_NECK_AND_HEAD], found.face)
    sure[_LEFT_WRIST] = max(sure[_LEFT_WRIST], found.left_hand)
    sure[_RIGHT_WRIST] = max(sure[_RIGHT_WRIST], found.right_hand)
    return sure


def detector_scores(landmarks: PersonLandmarks) -> Float32:
    """Return the scores of face, left and right hand, (3,); 0 where there is none."""
    parts = (landmarks.face, landmarks.left_hand, landmarks.right_hand)
    return np.array([part.score if part else 0.0 for part in parts], np.float32)
