"""How sure we are of each part, out of detectors' scores and moderators' weights."""

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import (
    BODY_JOINTS,
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    JOINT_NAMES,
    LEFT_EYE,
    LEFT_HAND_JOINTS,
    LIMB_JOINTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import (
    Camera,
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
_OF_LIMBS = np.isin(np.arange(len(_LANDMARKS)), LIMB_JOINTS)
_NECK_AND_HEAD = [JOINT_INDEX["neck"], JOINT_INDEX["head"]]
_LEFT_ARM, _RIGHT_ARM = (
    [JOINT_INDEX[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
    for side in ("left", "right")
)


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


def joint_confidence(
    landmarks: PersonLandmarks, found: PartConfidence, camera: Camera
) -> Float32:
    """Return how sure we are of each joint, (55,).

    A joint of the body is as sure as the body, or as the least visible landmark that
    shows it if that is surer; for a limb of which one lies outside the picture, the
    latter alone counts: whoever sits at a desk has legs that are but a guess.
    Neck and head are at least as sure as the face, an arm as its hand: whose elbow is
    below the picture may wave into it. Joints of hands and face are as sure as these.

    Args:
        landmarks: what was found of the person.
        found: how sure we are of its parts.
        camera: whose picture it was.
    """
    sure = by_part(found)
    body = slice(0, len(_LANDMARKS))
    pose = landmarks.pose
    if pose is not None:
        shown = pose.score * pose.visibility
        at: Float32 = pose.image[:, :2]
        outside = ((at < 0) | (at > np.array(camera.size_px))).any(axis=1)
        cut_off = np.take(outside, _LANDMARKS).any(axis=1) & _OF_LIMBS
        sure[body][cut_off] = 0.0
        sure[body] = np.maximum(sure[body], shown[_LANDMARKS].min(axis=1))
    sure[_NECK_AND_HEAD] = np.maximum(sure[_NECK_AND_HEAD], found.face)
    sure[_LEFT_ARM] = np.maximum(sure[_LEFT_ARM], found.left_hand)
    sure[_RIGHT_ARM] = np.maximum(sure[_RIGHT_ARM], found.right_hand)
    return sure


def by_part(found: PartConfidence) -> Float32:
    """Return each joint's confidence where no more is known than its part's, (55,)."""
    sure = np.full(JOINT_COUNT, found.body, np.float32)
    sure[LEFT_HAND_JOINTS] = found.left_hand
    sure[RIGHT_HAND_JOINTS] = found.right_hand
    sure[[JAW, LEFT_EYE, RIGHT_EYE]] = found.face
    return sure


def detector_scores(landmarks: PersonLandmarks) -> Float32:
    """Return the scores of face, left and right hand, (3,); 0 where there is none."""
    parts = (landmarks.face, landmarks.left_hand, landmarks.right_hand)
    return np.array([part.score if part else 0.0 for part in parts], np.float32)
