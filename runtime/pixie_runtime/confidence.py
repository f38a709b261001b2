"""How sure we are of each part, out of detectors' scores and moderators' weights."""

import numpy as np

from pixie_runtime.types import (
    Float32,
    PartConfidence,
    PersonLandmarks,
    PoseLandmarks,
)

_LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]


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


def detector_scores(landmarks: PersonLandmarks) -> Float32:
    """Return the scores of face, left and right hand, (3,); 0 where there is none."""
    parts = (landmarks.face, landmarks.left_hand, landmarks.right_hand)
    return np.array([part.score if part else 0.0 for part in parts], np.float32)
