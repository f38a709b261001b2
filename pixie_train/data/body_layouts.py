"""Other layouts of bodies' points and poses, in the places of SMPL-X's and of the 145.

Orders are those that OpenPose and COCO-WholeBody document. Points of both that are no
key points of ours (OpenPose's neck and middle hip) have no place.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.smplx import (
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
)
from pixie_train.data.record import Turns
from pixie_train.key_points import (
    EXTRA_POINT_NAMES,
    FACE_POINTS,
    KEY_POINT_COUNT,
)

_EXTRA_START = KEY_POINT_COUNT - len(EXTRA_POINT_NAMES)


def key_point(name: str) -> int:
    """Return the place of a joint or extra point among the 145."""
    if name in EXTRA_POINT_NAMES:
        return _EXTRA_START + EXTRA_POINT_NAMES.index(name)
    return JOINT_INDEX[name]


_INNER, _CONTOUR = tuple(FACE_POINTS[:51]), tuple(FACE_POINTS[51:])
FACE_51 = _INNER
"""iBUG's inner landmarks."""
FACE_68 = _CONTOUR + _INNER
"""iBUG's landmarks, the jaw line first."""

# fmt: off
_BODY_25 = (
    "nose", None, "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", None, "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear",
    "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)
_COCO_17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)
_FEET_6 = (
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe",
    "right_heel",
)
_SMPLX_VERTICES = (
    "nose", "right_eye", "left_eye", "right_ear", "left_ear", *_FEET_6,
    *(f"{side}_{finger}" for side in ("left", "right")
      for finger in ("thumb", "index", "middle", "ring", "pinky")),
)
_COCO_18 = (
    "nose", None, "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip",
    "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
)
# fmt: on

SMPLX_127: tuple[tuple[int, int], ...] = (
    *((joint, joint) for joint in range(JOINT_COUNT)),
    *((55 + row, key_point(name)) for row, name in enumerate(_SMPLX_VERTICES)),
    *((76 + row, place) for row, place in enumerate(FACE_51)),
)
"""The smplx package's 127: a point's number there, and its place here."""
COCO_18: tuple[tuple[int, int], ...] = tuple(
    (place, key_point(name)) for place, name in enumerate(_COCO_18) if name
)
"""OpenPose's points of COCO likewise."""
OPENPOSE_25: tuple[tuple[int, int], ...] = tuple(
    (place, key_point(name)) for place, name in enumerate(_BODY_25) if name
)
"""OpenPose's BODY_25: a point's number there, and its place here."""
COCO_17 = tuple(key_point(name) for name in _COCO_17)
"""COCO's key points."""
FEET_6 = tuple(key_point(name) for name in _FEET_6)
"""COCO-WholeBody's feet."""


def turns_of(where: Sequence[int], rotvecs: npt.ArrayLike) -> Turns:
    """Return SMPL-X rotations of axis-angles (k, 3) or (3 k,) of the joints `where`."""
    w = np.asarray(rotvecs, np.float64).reshape(-1, 3)
    return Turns.of(JOINT_COUNT, where, rotations.to_matrix(rotations.from_rotvec(w)))


def joined(*turns: Turns) -> Turns:
    """Return the rotations that any of several know; the later ones count."""
    whole = Turns.unknown(JOINT_COUNT)
    for some in turns:
        whole.R[some.known] = some.R[some.known]
        whole.known[some.known] = True
    return whole


FULL_POSE = tuple(range(JOINT_COUNT))
"""SMPL-X's joints in the order of its full pose: pelvis, 21 of the body, jaw, eyes,
left hand, right hand."""
BODY_POSE = tuple(range(1, 22))
ROOT_POSE = (0,)
JAW_POSE = (JAW,)
