"""Which joints belong together for smoothing, and where they rest when unseen."""

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.smoothing.settings import OneEuroSettings, SmoothingSettings
from pixie_runtime.smplx import (
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_EYE,
    LEFT_HAND_JOINTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import PARTS, Float64

_WRISTS = {JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]}
_HEAD = {JOINT_INDEX["neck"], JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE}
_FINGERS = {*LEFT_HAND_JOINTS, *RIGHT_HAND_JOINTS}

_RELAXED_CURL_RAD = 0.25
"""Bend of each finger joint of a hand that hangs; the thumb stays as it is."""

_THUMB_FROM = 12
"""Joints of a hand: index, middle, pinky and ring have three each, then the thumb."""


def settings_by_joint(settings: SmoothingSettings) -> list[OneEuroSettings]:
    """Return the filter settings of each of the 55 joints."""
    chosen = [settings.body] * JOINT_COUNT
    chosen[0] = settings.root
    for joints, group in (
        (_WRISTS, settings.wrists),
        (_HEAD, settings.head),
        (_FINGERS, settings.hands),
    ):
        for joint in joints:
            chosen[joint] = group
    return chosen


def _part_by_joint() -> npt.NDArray[np.intp]:
    part = np.full(JOINT_COUNT, PARTS.index("body"))
    part[LEFT_HAND_JOINTS] = PARTS.index("left_hand")
    part[RIGHT_HAND_JOINTS] = PARTS.index("right_hand")
    part[[JAW, LEFT_EYE, RIGHT_EYE]] = PARTS.index("face")
    return part


PART_BY_JOINT = _part_by_joint()
"""For each joint the index in `PARTS` whose confidence counts at least, (55,). A wrist
goes with the body; what else it needs, `hands.HandKeeper` knows."""


def neutral_rotations() -> Float64:
    """Return where unseen joints go: all straight, fingers lightly bent, (55, 4).

    In SMPL-X's rest pose the palms look down and the fingers along x, so that bending
    turns the left hand's about -z and the right hand's about +z.
    """
    bend = np.zeros((JOINT_COUNT, 3))
    bend[LEFT_HAND_JOINTS[:_THUMB_FROM], 2] = -_RELAXED_CURL_RAD
    bend[RIGHT_HAND_JOINTS[:_THUMB_FROM], 2] = _RELAXED_CURL_RAD
    return np.asarray(rot.from_rotvec(bend), np.float64)
