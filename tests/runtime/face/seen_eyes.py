"""Eyes as a camera sees them: anatomy, a pose, and a pinhole.

Written apart from `eye_view`, in metres and without its simplifications.
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.types import Camera, EyeLandmarks, FaceLandmarks, Float64

CAMERA = Camera.with_field_of_view(1280, 720, 60)
WIDTH = 0.030
OUTER_LEFT = WIDTH / 2 * np.array([0.983, 0.063, -0.172])
"""The left eye's outer corner from the middle between its corners, head axes; the inner
one is opposite."""
CENTRE = WIDTH * np.array([0.0, 0.08, -0.19])
TO_IRIS = 0.35 * WIDTH
BETWEEN = 0.062
"""From eye to eye."""


@dataclass(frozen=True)
class Eyes:
    """What a person's eyes do."""

    yaw: float = 0.0
    pitch: float = 0.0
    left: float = 0.33
    """Opening of the left eye, in widths of the eye."""
    right: float = 0.33


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> Float64:
    """Return Ry Rx Rz."""
    cy, sy, cx, sx = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cz, sz = np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float64)


def seen_eye(
    eyes: Eyes, side: str, R_camera_head: Float64, head: Float64
) -> EyeLandmarks:
    """Return an eye of a head at `head` (3,), turned, in our camera's axes."""
    mirror = np.array([1 if side == "left" else -1, 1, 1])
    middle = mirror * (BETWEEN / 2, 0, 0)
    outer = OUTER_LEFT * mirror
    iris = CENTRE * mirror + rotation(eyes.yaw, eyes.pitch) @ (0, 0, TO_IRIS)
    half = np.array([0, getattr(eyes, side) * WIDTH / 2, 0])
    along = np.linspace(1, -1, 9)
    lower = [t * outer - (1 - t**4) * half for t in along]
    upper = [t * outer + (1 - t**4) * half for t in along[1:-1]]

    def pixels(points: list[Float64]) -> Float64:
        placed = (np.array(points) + middle) @ R_camera_head.T + head
        projected = placed[:, :2] / placed[:, 2:] * CAMERA.focal_px
        return np.asarray(projected + CAMERA.centre_px, np.float64)

    return EyeLandmarks(
        lids=pixels([*lower, *upper]).astype(np.float32),
        iris=np.repeat(pixels([iris]), 5, axis=0).astype(np.float32),
    )


def seen_face(eyes: Eyes) -> FaceLandmarks:
    """Return the face of somebody before the camera, who is not turned."""
    facing = np.diag([1.0, -1.0, -1.0])
    head = np.array([0.0, 0.0, 0.7])
    left, right = (seen_eye(eyes, side, facing, head) for side in ("left", "right"))
    return FaceLandmarks(np.zeros((468, 3), np.float32), 1.0, left, right)
