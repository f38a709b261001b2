"""Skeletons, points and text drawn over a picture."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_NAMES, PARENTS
from pixie_runtime.types import UInt8

Points = npt.NDArray[np.floating[Any]]
Colour = tuple[int, int, int]
"""RGB, 0 to 255."""

LEFT: Colour = (60, 160, 255)
RIGHT: Colour = (255, 140, 50)
CENTRE: Colour = (240, 240, 240)

_SUBPIXEL_BITS = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_skeleton(image: UInt8, joints_px: Points, *, thickness: int = 2) -> UInt8:
    """Return a copy of `image` with the bones between the 55 joints.

    Args:
        image: (H, W, 3), RGB.
        joints_px: SMPL-X joints in pixels, (55, 2); NaN or far outside is left out.
        thickness: Of the body's bones, pixels; fingers and face get 1.
    """
    drawn = image.copy()
    place, shown = _subpixels(joints_px, image)
    for joint, parent in enumerate(PARENTS):
        if parent < 0 or not (shown[joint] and shown[parent]):
            continue
        cv2.line(
            drawn,
            place[parent],
            place[joint],
            _side_colour(JOINT_NAMES[joint]),
            thickness if joint < 22 else 1,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )
    return drawn


def draw_points(
    image: UInt8, points_px: Points, *, colour: Colour = LEFT, radius: float = 2.0
) -> UInt8:
    """Return a copy of `image` with dots at `points_px` (n, 2), pixels.

    Points that are NaN or far outside the picture are left out.
    """
    drawn = image.copy()
    size = round(radius * (1 << _SUBPIXEL_BITS))
    for place, shown in zip(*_subpixels(points_px, image), strict=True):
        if shown:
            cv2.circle(drawn, place, size, colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return drawn


def draw_text(image: UInt8, lines: Sequence[str]) -> UInt8:
    """Return a copy of `image` with `lines` in its upper left corner.

    White on a darkened band, so that it reads on anything; ASCII only.
    """
    drawn = image.copy()
    if not lines:
        return drawn
    scale = max(0.35, min(image.shape[:2]) / 1200)
    margin, step = round(10 * scale), round(34 * scale)
    widest = max(cv2.getTextSize(line, _FONT, scale, 1)[0][0] for line in lines)
    band = drawn[: len(lines) * step + margin, : widest + 2 * margin]
    np.multiply(band, 0.45, out=band, casting="unsafe")
    for number, line in enumerate(lines, start=1):
        place = (margin, number * step)
        cv2.putText(drawn, line, place, _FONT, scale, CENTRE, 1, cv2.LINE_AA)
    return drawn


def _subpixels(points_px: Points, image: UInt8) -> tuple[list[list[int]], list[bool]]:
    """Return OpenCV's fixed-point coordinates and which of the points to draw."""
    reach = 4 * max(image.shape[:2])
    shown = (np.abs(np.nan_to_num(points_px, nan=np.inf)) < reach).all(axis=1)
    # OpenCV has pixel centres at integers, we have them at a half.
    fixed = (points_px[:, :2] - 0.5) * (1 << _SUBPIXEL_BITS)
    places = np.where(shown[:, None], np.rint(fixed), 0).astype(int)
    return places.tolist(), shown.tolist()


def _side_colour(name: str) -> Colour:
    if name.startswith("left_"):
        return LEFT
    return RIGHT if name.startswith("right_") else CENTRE
