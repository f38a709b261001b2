"""Hands as data sets write them: 21 points, MANO's 48 numbers; here as key points.

The 21 points are those of OpenPose's hand output, which FreiHAND and CMU's data sets
share: wrist, then four of each finger from thumb to little finger, tip last. MANO's
fingers stand in another order, index, middle, little, ring, thumb, three joints each,
which is SMPL-X's too, so that its joints carry over by position (spec: pixie-network,
section 7).

MANO's rest pose is SMPL-X's flat hand in the same axes: the right hand's fingers along
-x, its back up, thumbs to the front. Bones of another body's hand differ in length and
a little in direction; rotations are taken over as they are.
"""

import cv2
import numpy as np

from pixie_runtime.smplx import JOINT_COUNT, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_runtime.types import Float32
from pixie_train.data.record import Turns
from pixie_train.key_points import LEFT_HAND_POINTS, RIGHT_HAND_POINTS

HAND_POINTS = 21
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_MANO_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_WRIST, _INDEX, _MIDDLE, _PINKY = 0, 5, 9, 17


def _openpose_order(points: list[int]) -> list[int]:
    """Return a hand's key points, wrist, 15 joints, 5 tips, in the order of the 21."""
    order = [points[0]]
    for finger in _FINGERS:
        place = _MANO_FINGERS.index(finger)
        order += points[1 + 3 * place : 4 + 3 * place]
        order.append(points[16 + place])
    return order


LEFT_21: list[int] = _openpose_order(LEFT_HAND_POINTS)
"""The key points at which a left hand's 21 points lie."""
RIGHT_21: list[int] = _openpose_order(RIGHT_HAND_POINTS)
"""The same of a right hand."""


def places_of_hand(*, left: bool) -> list[int]:
    """Return the key points at which a hand's 21 points lie."""
    return LEFT_21 if left else RIGHT_21


def fingers_of_mano(mano: Float32, *, left: bool) -> Turns:
    """Return MANO's 15 joints as turns of SMPL-X's 55.

    Args:
        mano: (45,) axis-angles in radians, whole: with the mean pose in them.
        left: whose hand it is.
    """
    joints = LEFT_HAND_JOINTS if left else RIGHT_HAND_JOINTS
    R = [rotation_matrix(axis_angle) for axis_angle in mano.reshape(15, 3)]
    return Turns.of(JOINT_COUNT, joints, R)


def rotation_matrix(axis_angle: Float32) -> Float32:
    """Return the rotation (3, 3) of an axis-angle (3,), radians."""
    matrix, _ = cv2.Rodrigues(np.asarray(axis_angle, np.float64))
    return np.asarray(matrix, np.float32)


def wrist_of_points(xyz: Float32, *, left: bool) -> Float32:
    """Return how a palm is turned, (3, 3), from the rest pose, by its points alone.

    The fingers' base joints do not move against the wrist, so that wrist, index, middle
    and little finger tell it; right to about 10 degrees, as palms differ.

    Args:
        xyz: the 21 points, (21, 3), in the axes that the rotation leads to.
        left: whose hand it is.
    """
    along = xyz[_MIDDLE] - xyz[_WRIST]
    across = xyz[_INDEX] - xyz[_PINKY]
    # At rest: fingers away from the body, index in front of the little finger.
    x = _unit(along if left else -along)
    z = across - x * (across @ x)
    z = _unit(z)
    return np.stack([x, np.cross(z, x), z], axis=1).astype(np.float32)


def degrees_between(first: Float32, second: Float32) -> float:
    """Return the angle of the rotation that leads from one rotation to another."""
    cosine = (np.trace(first.astype(np.float64).T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _unit(vector: Float32) -> Float32:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
