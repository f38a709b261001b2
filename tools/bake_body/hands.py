"""Hand poses: a mean and 45 principal components of a synthetic curl model.

No captured hand data is behind it. Fingers curl about their own hinges, together and
one by one; spread closes as they curl; the thumb flexes towards the palm.
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.smplx import JOINT_INDEX
from tools.bake_body.arrays import Float
from tools.bake_body.geometry import matrix_of, rotvec_of, shortest_turn, unit
from tools.bake_body.skeleton import FINGERS

ORDER = ("index", "middle", "pinky", "ring", "thumb")
"""SMPL-X's order of the fingers."""
FLEXION_DEG = (78.0, 95.0, 62.0)
"""Angles of a finger's three bones in a full fist."""
SPREAD_DEG = {"index": 5.0, "middle": 1.0, "ring": -4.0, "pinky": -8.0}
_THUMB_IN_FIST = ((0.66, -0.70, 0.28), (0.50, -0.72, -0.48), (-0.05, -0.25, -0.97))
"""Directions of the left thumb's bones, laid across the fingers."""
_COUNT = 4000


@dataclass(frozen=True, slots=True, eq=False)
class HandPoses:
    """Mean (45,) and components (45, 45) of one hand, rotation vectors in radians."""

    mean: Float
    components: Float


def fist(joints: Float, tips: Float) -> Float:
    """Return the rotation vectors (5, 3, 3) of the left hand's full fist, in radians.

    `joints` (55, 3) and `tips` (5, 3), thumb first, in the rest pose. Fingers flex
    about the hand's z axis and come together; the thumb comes to lie across them.
    """
    turns = np.zeros((5, 3, 3))
    for f, finger in enumerate(ORDER):
        chain = [joints[JOINT_INDEX[f"left_{finger}{k}"]] for k in (1, 2, 3)]
        chain.append(tips[list(FINGERS).index(finger)])
        bones = unit(np.diff(chain, axis=0))
        if finger == "thumb":
            turns[f] = _thumb_turns(bones)
            continue
        for k, degrees in enumerate(FLEXION_DEG):
            hinge = unit(np.cross(bones[k], [0.0, -1.0, 0.0]))
            turns[f, k] = np.radians(degrees) * hinge
        straight = shortest_turn(bones[0], np.array([1.0, 0.0, 0.0]))
        flex = matrix_of([0.0, 0.0, -np.radians(FLEXION_DEG[0])])
        turns[f, 0] = rotvec_of(flex @ straight)
    return turns


def _thumb_turns(bones: Float) -> Float:
    R = np.eye(3)
    turns = []
    for bone, goal in zip(bones, _THUMB_IN_FIST, strict=True):
        turn = shortest_turn(R @ bone, np.array(goal))
        turns.append(rotvec_of(R.T @ turn @ R))
        R = turn @ R
    return np.stack(turns)


def left_poses(full: Float) -> HandPoses:
    """Draw left hands between flat and the full fist (5, 3, 3) and reduce them."""
    rng = np.random.default_rng(5)
    together = rng.beta(1.2, 2.2, _COUNT)
    spread = rng.normal(0, 1, _COUNT) * (1 - together)
    drawn = np.zeros((_COUNT, 5, 3, 3))
    for f, finger in enumerate(ORDER):
        curl = np.clip(together + rng.normal(0, 0.18, _COUNT), -0.12, 1.05)
        for k in range(3):
            wobble = rng.normal(0, 0.03, _COUNT)[:, None] * unit(full[f, k])
            drawn[:, f, k] += curl[:, None] * full[f, k] + wobble
        if finger != "thumb":
            angle = spread * np.radians(SPREAD_DEG[finger])
            drawn[:, f, 0] += angle[:, None] * [0.0, 1.0, 0.0]
    flat = drawn.reshape(_COUNT, 45)
    mean = flat.mean(0)
    values, vectors = np.linalg.eigh((flat - mean).T @ (flat - mean))
    components = vectors[:, np.argsort(-values, kind="stable")].T
    largest = np.abs(components).argmax(1)
    components *= np.sign(components[np.arange(45), largest])[:, None]
    return HandPoses(mean, components)


def mirrored(hand: HandPoses) -> HandPoses:
    """Return the other hand's poses: rotations about y and z change sign."""
    signs = np.tile([1.0, -1.0, -1.0], 15)
    return HandPoses(hand.mean * signs, hand.components * signs)
