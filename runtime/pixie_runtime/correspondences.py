"""Which point of the body was seen where: what placing and fitting go by."""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.body_points import (
    BodyPoints,
    eye_points,
    palm_points,
    pose_points,
    skull_points,
)
from pixie_runtime.types import Camera, Float64, PersonLandmarks

_POSE_LANDMARKS, _HEAD_LANDMARKS = 33, 11
_HEAD_SHARE = 0.15
"""Weight of each of the pose's eleven landmarks on the head: they lie together, and
loosely."""
_SKULL_SHARE = 0.5
"""Weight of each of the face mesh's points on the skull, which replace them."""
_HAND_LANDMARKS = {"left": [17, 19, 21], "right": [18, 20, 22]}
"""The pose's landmarks on the hands, which a hand's own landmarks replace."""


@dataclass(frozen=True, eq=False)
class Correspondences:
    """Points of the body and the directions they were seen in."""

    points: BodyPoints
    """P points."""
    rays: Float64
    """Directions ((x - cx) / f, (y - cy) / f), (P, 2)."""
    weight: Float64
    """How much each counts, (P,) in [0, 1]."""


def correspondences(
    model: BodyModel, landmarks: PersonLandmarks, camera: Camera
) -> Correspondences:
    """Return what was seen of a person of whom something was seen."""
    parts, pixels, weights = [], [], []
    pose, face = landmarks.pose, landmarks.face
    trust = np.zeros(_POSE_LANDMARKS)
    if pose is not None:
        trust = np.square(pose.visibility.astype(np.float64))
        trust[:_HEAD_LANDMARKS] *= _HEAD_SHARE
        parts.append(pose_points())
        pixels.append(pose.image[:, :2])
        weights.append(trust)
    hands = (("left", landmarks.left_hand), ("right", landmarks.right_hand))
    for side, hand in hands:
        if hand is not None:
            trust[_HAND_LANDMARKS[side]] = 0.0
            palm = palm_points(side)
            parts.append(palm)
            pixels.append(hand.image[palm.landmark, :2])
            weights.append(np.full(len(palm.landmark), hand.score**2))
    if face is not None:
        trust[:_HEAD_LANDMARKS] = 0.0
        skull = skull_points(model) or eye_points()
        parts.append(skull)
        pixels.append(face.image[skull.landmark, :2])
        weights.append(np.full(len(skull.landmark), _SKULL_SHARE))
    points = BodyPoints(
        landmark=np.concatenate([part.landmark for part in parts]),
        joint=np.concatenate([part.joint for part in parts]),
        offset=np.concatenate([part.offset for part in parts]),
    )
    places = np.concatenate(pixels).astype(np.float64)
    rays = (places - np.array(camera.centre_px)) / camera.focal_px
    return Correspondences(points, rays, np.concatenate(weights))
