"""Where an eye looks and how far it is open, from its corners, lids and iris.

The eyes' corners hold still on the head, so the head's rotation says how they would be
seen; how they are seen says where the eye is in the picture and how large. How far the
iris is off the place of the eyeball's centre is then the sine of its turn. Lengths are
in widths of the eye, from corner to corner: about 30 mm in adults.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.types import Camera, EyeLandmarks, Float32, Float64

Side = Literal["left", "right"]

_OUTWARDS = np.array([0.983, 0.063, -0.172])
"""From the inner to the outer corner of the left eye, in the head's axes, as on the
body model that ships."""
_CENTRE = np.array([0.0, 0.08, -0.19])
"""The eyeball's centre from the middle between the corners: 2.4 mm above it and 5.7 mm
behind. People who look into the camera from the side have about these."""
_IRIS_RADIUS = 0.35
"""From that centre to the iris: 10.5 mm."""
_LARGEST_SINE = 0.75
"""Eyes turn no further; what seems to is noise."""
_LEAST_WIDTH = 0.4
"""Least part of an eye's width that must be seen, as it is turned away."""

_OUTER, _INNER = 0, 8
_LOWER, _UPPER = slice(3, 6), slice(11, 14)
"""The middles of the lids."""


@dataclass(frozen=True, slots=True)
class EyeView:
    """What one eye does."""

    yaw: float
    """Radians in the head, positive to the person's left."""
    pitch: float
    """Radians in the head, positive downwards."""
    opening: float
    """Distance between the lids in their middle, in widths of the eye."""


def eye_view(
    eye: EyeLandmarks, side: Side, head_wxyz: Float64, camera: Camera
) -> EyeView | None:
    """Return what an eye does, None if it is turned too far away to tell.

    Args:
        eye: As it was seen.
        side: The person's left or right eye.
        head_wxyz: The head's rotation in our camera's axes (y down, z forward), (4,).
        camera: The picture's camera.
    """
    outer, inner = eye.lids[[_OUTER, _INNER]].astype(np.float64)
    if np.hypot(*(outer - inner)) < 1.0:
        return None
    Q = _rotation_along((outer + inner) / 2, camera)
    lids, iris = (_as_if_centred(points, Q, camera) for points in (eye.lids, eye.iris))
    outer, inner = lids[[_OUTER, _INNER]]
    R = Q @ rotations.to_matrix(head_wxyz)
    x_sign = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
    outwards, centre = R @ (_OUTWARDS * x_sign), R @ (_CENTRE * x_sign)
    if np.hypot(*outwards[:2]) < _LEAST_WIDTH:
        return None
    to_widths = _turn_and_scale(outer - inner, outwards[:2])
    gap = lids[_UPPER].mean(axis=0) - lids[_LOWER].mean(axis=0)
    off = to_widths @ (iris[0] - (outer + inner) / 2) - centre[:2]
    look = R.T @ _direction(off / _IRIS_RADIUS)
    up = R[:2, 1]
    opening = float(up @ to_widths @ gap) / max(float(up @ up), 0.1)
    return EyeView(
        yaw=float(np.arctan2(look[0], look[2])),
        pitch=float(-np.arcsin(np.clip(look[1], -1.0, 1.0))),
        opening=max(opening, 0.0),
    )


def _turn_and_scale(source: Float64, target: Float64) -> Float64:
    """Return the rotation times a scale, (2, 2), that turns one vector into another."""
    ratio = complex(*target) / complex(*source)
    return np.array([[ratio.real, -ratio.imag], [ratio.imag, ratio.real]])


def _direction(sines: Float64) -> Float64:
    """Return the unit vector (3,) towards the viewer that is so far off their axis."""
    off = sines * min(1.0, _LARGEST_SINE / max(float(np.hypot(*sines)), 1e-9))
    return np.array([off[0], off[1], -np.sqrt(1.0 - float(off @ off))])


def _as_if_centred(pixels: Float32, Q: Float64, camera: Camera) -> Float64:
    """Return pixels (N, 2) as a camera that is turned by `Q` sees them, in its rays.

    Off the axis a flat picture is stretched, more outwards than along its edge.
    """
    flat = (pixels.astype(np.float64) - camera.centre_px) / camera.focal_px
    rays = np.c_[flat, np.ones(len(flat))] @ Q.T
    return np.asarray(rays[:, :2] / rays[:, 2:], np.float64)


def _rotation_along(pixel: Float64, camera: Camera) -> Float64:
    """Return the smallest rotation that turns a pixel's ray into the camera's axis."""
    x, y = (pixel - np.asarray(camera.centre_px)) / camera.focal_px
    sine = float(np.hypot(x, y))  # of the angle, times the ray's length
    axis = np.array([y, -x, 0.0]) / max(sine, 1e-9)  # ray cross z
    turn = axis * np.arctan2(sine, 1.0)
    return np.asarray(rotations.to_matrix(rotations.from_rotvec(turn)), np.float64)
