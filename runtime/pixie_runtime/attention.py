"""Where to look: the person's box, and the squares of head and hands in it.

Body-driven attention (paper, section 3.2) takes the parts' places from a coarse body.
Where landmarks or the last frame say where the parts are, that pass is not needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime.body import PosedBody
from pixie_runtime.body_points import face_points
from pixie_runtime.crops import BodyView, Box, Square
from pixie_runtime.smplx import JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_runtime.types import (
    FaceLandmarks,
    Float32,
    Float64,
    HandLandmarks,
    PersonLandmarks,
    PoseLandmarks,
)
from pixie_runtime.weak_perspective import WeakCamera

AttendedPart = Literal["head", "left_hand", "right_hand"]
ATTENDED_PARTS: tuple[AttendedPart, ...] = ("head", "left_hand", "right_hand")

# fmt: off
FACE_68: tuple[int, ...] = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)
# fmt: on
"""The face mesh's points that are the 68 iBUG landmarks, in their order."""

_EARS = [7, 8]
# fmt: off
_FLESH_M = np.array([
    0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.125, 0.125, 0.07, 0.07,
    0.06, 0.06, 0.05, 0.05, 0.04, 0.04, 0.09, 0.09, 0.09, 0.09, 0.07, 0.07,
    0.09, 0.09, 0.06, 0.06, 0.05, 0.05, 0.04, 0.04, 0.04, 0.04,
])
# fmt: on
"""How far the body goes beyond each of the pose's landmarks, metres: crown of the head
beyond the ears, fingers beyond their knuckles, soles below heels. On the embedded body
in any pose the box is then that of the silhouette to one or two hundredths of its
side."""
_HAND_FLESH_M = 0.01
_POSE_HANDS = {"left_hand": [17, 19, 21], "right_hand": [18, 20, 22]}
_SEEN = 0.3
"""Visibility below which a landmark inside the picture is taken to be hidden."""

_FACE_HEIGHT_M, _HAND_LENGTH_M = 0.13, 0.17
"""What stands for the picture's scale where no body was found."""
_BUST_M = {"up": 0.16, "aside": 0.30, "down": 0.55}
"""What a detector would box around the middle of a face that is all we have."""
_ARM_M = 0.20
"""Likewise around a hand."""

_TIP = 0.9
"""Length of a finger's last bone over that of the bone before."""
_MIN_SIDE_PX = 2.0


def person_box(landmarks: PersonLandmarks, size_px: tuple[int, int]) -> Box | None:
    """Return the box that a person detector would give; None where there is none.

    Landmarks lie on joints and inside outlines; a detector's box holds the visible
    silhouette, from the crown of the head to finger tips and soles, and ends at the
    picture's border. Landmarks outside the picture count: there the border is reached.
    Those that are hidden inside it do not.

    Args:
        landmarks: of one person.
        size_px: the picture's width and height.
    """
    pose = landmarks.pose
    hands = (landmarks.left_hand, landmarks.right_hand)
    discs = [] if pose is None else [_pose_discs(pose, landmarks, size_px)]
    discs += [
        (hand.image[:, :2], np.full(21, _HAND_FLESH_M * _hand_scale(hand)))
        for hand in hands
        if hand is not None
    ]
    if landmarks.face is not None:
        points = landmarks.face.image[list(FACE_68), :2]
        discs.append((points, np.zeros(len(points))))
    if pose is None:
        discs += _guesses(landmarks)
    if not discs:
        return None
    centres = np.concatenate([centre for centre, _ in discs]).astype(np.float64)
    radius = np.concatenate([radius for _, radius in discs])[:, None]
    low, high = (centres - radius).min(axis=0), (centres + radius).max(axis=0)
    low, high = np.clip(low, 0, size_px), np.clip(high, 0, size_px)
    if not np.isfinite([low, high]).all() or (high - low).min() < _MIN_SIDE_PX:
        return None
    return Box(*low.tolist(), *high.tolist())


def _pose_discs(
    pose: PoseLandmarks, landmarks: PersonLandmarks, size_px: tuple[int, int]
) -> tuple[Float32, Float64]:
    """Return the pose's points (n, 2) that count and how far the body surrounds each.

    A hand with landmarks of its own needs none of the pose's guesses about it. A face
    with its own says how large the head is: of somebody of whom only the bust is in
    the picture the pose's scale is mostly made up.
    """
    image = pose.image[:, :2].copy()
    image[_EARS] = image[_EARS].mean(axis=0)
    spread = image - image.mean(axis=0)
    spread_m = pose.world[:, :2] - pose.world[:, :2].mean(axis=0)
    per_metre = np.sqrt(np.square(spread).sum() / max(np.square(spread_m).sum(), 1e-6))
    radius = _FLESH_M * per_metre
    if landmarks.face is not None:
        radius[_EARS] = _FLESH_M[_EARS] * max(per_metre, _face_scale(landmarks.face))
    outside = ((image < 0) | (image > size_px)).any(axis=1)
    counts = outside | (pose.visibility >= _SEEN)
    for part, hand in _POSE_HANDS.items():
        counts[hand] &= getattr(landmarks, part) is None
    if not counts.any():
        counts[:] = True
    return image[counts], radius[counts]


def _guesses(landmarks: PersonLandmarks) -> list[tuple[Float32, Float64]]:
    """Return discs for what must surround a face or hands without a body."""
    discs = []
    if landmarks.face is not None:
        points = landmarks.face.image[list(FACE_68), :2]
        middle = points.mean(axis=0)
        per_metre = _face_scale(landmarks.face)
        reach = np.array(
            [
                [0, -_BUST_M["up"]],
                [-_BUST_M["aside"], 0],
                [_BUST_M["aside"], 0],
                [0, _BUST_M["down"]],
            ],
            np.float32,
        )
        discs.append((middle + reach * per_metre, np.zeros(4)))
    for hand in (landmarks.left_hand, landmarks.right_hand):
        if hand is not None:
            radius = np.full(1, _ARM_M * _hand_scale(hand))
            discs.append((hand.image[:, :2].mean(axis=0, keepdims=True), radius))
    return discs


def _face_scale(face: FaceLandmarks) -> float:
    """Return roughly how many pixels a metre is at the face."""
    points = face.image[list(FACE_68), :2]
    return float(np.ptp(points, axis=0).max()) / _FACE_HEIGHT_M


def _hand_scale(hand: HandLandmarks) -> float:
    """Return roughly how many pixels a metre is at the hand."""
    return float(np.ptp(hand.image[:, :2], axis=0).max()) / _HAND_LENGTH_M


@dataclass(frozen=True, eq=False)
class LastSight:
    """A person as last estimated: where to look for parts that nobody else found."""

    timestamp_s: float
    square: Square
    """The body's, pixels of the picture."""
    body: PosedBody
    """In the crop's axes, not translated."""
    camera: WeakCamera
    """The network's, which has the body in the picture."""

    _RECENT_S = 0.5
    _MOVED, _GROWN = 0.5, 1.5

    def is_of(self, square: Square, timestamp_s: float) -> bool:
        """Whether this was a moment ago, and of whom is in `square` now."""
        last = self.square
        apart = max(abs(square.x - last.x), abs(square.y - last.y))
        ratio = square.side / last.side
        return (
            0 <= timestamp_s - self.timestamp_s <= self._RECENT_S
            and apart <= self._MOVED * last.side
            and 1 / self._GROWN <= ratio <= self._GROWN
        )

    def points(self, part: AttendedPart) -> Float32 | None:
        """Return where the part's points were in the picture, (n, 2) pixels.

        None where the body model does not say where face landmarks lie.
        """
        if part == "head":
            face = face_points(self.body.shaped.model)
            if face is None:
                return None
            return self.camera.project(face.place(self.body.transforms))
        joints = self.body.joints
        left = part == "left_hand"
        fingers = joints[LEFT_HAND_JOINTS if left else RIGHT_HAND_JOINTS]
        bones = fingers.reshape(5, 3, 3)
        tips = bones[:, 2] + _TIP * (bones[:, 2] - bones[:, 1])
        wrist = joints[[JOINT_INDEX["left_wrist" if left else "right_wrist"]]]
        return self.camera.project(np.concatenate([wrist, fingers, tips]))


def found_points(landmarks: PersonLandmarks, part: AttendedPart) -> Float32 | None:
    """Return the part's landmarks in the picture, (n, 2) pixels, if it was found.

    The head's are those of the 68 that its square was defined by; a hand's 21 are
    wrist, finger joints and tips, as in the body model.
    """
    if part == "head":
        face = landmarks.face
        return None if face is None else face.image[list(FACE_68), :2]
    hand = landmarks.left_hand if part == "left_hand" else landmarks.right_hand
    return None if hand is None else hand.image[:, :2]


def part_square(view: BodyView, points: Float32, part: AttendedPart) -> Square | None:
    """Return the square about a part's points (n, 2), pixels of the finer picture.

    None where a point is not a number.
    """
    if not np.isfinite(points).all():
        return None
    scale = view.spec.head_scale if part == "head" else view.spec.hand_scale
    return Square.around(view.to_hd(points), scale)


def coarse_squares(boxes: Float32) -> Iterator[Square | None]:
    """Yield the squares that a coarse pass gives for head, left and right hand.

    Args:
        boxes: centre x, centre y and side, (3, 3), pixels of the finer picture.
    """
    for x, y, side in boxes.astype(np.float64).tolist():
        usable = np.isfinite([x, y, side]).all() and side > 0
        yield Square(x, y, side) if usable else None
