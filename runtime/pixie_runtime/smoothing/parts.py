"""Which joints belong together for smoothing, and where they rest when unseen."""

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.smoothing.settings import OneEuroSettings, SmoothingSettings
from pixie_runtime.smplx import (
    BODY_JOINTS,
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_EYE,
    LEFT_HAND_JOINTS,
    LIMB_JOINTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Float64

_WRISTS = {JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]}
_HEAD = {JOINT_INDEX["neck"], JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE}
_FINGERS = {*LEFT_HAND_JOINTS, *RIGHT_HAND_JOINTS}

_RELAXED_CURL_RAD = 0.25
"""Bend of each finger joint of a hand that hangs; the thumb stays as it is."""

_HANGING_RAD, _ELBOW_RAD = 1.25, 0.3
"""By how much arms that hang are turned from stretched out sideways, and bent."""

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


IS_LIMB = np.isin(np.arange(JOINT_COUNT), LIMB_JOINTS)
"""The joints that go to their neutral when they alone of a body are not seen, (55,)."""
IS_TRUNK = np.isin(np.arange(JOINT_COUNT), [0, *BODY_JOINTS]) & ~IS_LIMB
"""The joints that never do, pelvis to collars and head, (55,)."""


def neutral_rotations() -> Float64:
    """Return where unseen joints go, (55, 4): who stands with hanging arms.

    In SMPL-X's rest pose the arms are stretched out along x, palms down, so that arms
    sink and fingers bend about -z on the left and about +z on the right, and elbows
    bend forwards about -y and +y.
    """
    bend = np.zeros((JOINT_COUNT, 3))
    for side, sign in (("left", -1), ("right", 1)):
        bend[JOINT_INDEX[f"{side}_shoulder"], 2] = sign * _HANGING_RAD
        bend[JOINT_INDEX[f"{side}_elbow"], 1] = sign * _ELBOW_RAD
    bend[LEFT_HAND_JOINTS[:_THUMB_FROM], 2] = -_RELAXED_CURL_RAD
    bend[RIGHT_HAND_JOINTS[:_THUMB_FROM], 2] = _RELAXED_CURL_RAD
    return np.asarray(rot.from_rotvec(bend), np.float64)
