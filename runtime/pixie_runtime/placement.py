"""Where a posed body stands before the camera: its translation out of 2D landmarks.

A posed body says where its points are about the pelvis, the picture says in which
direction each of them is seen; the translation that brings the two together is a small
linear problem, solved in closed form with full perspective.
"""

import numpy as np

from pixie_runtime.correspondences import Correspondences
from pixie_runtime.types import Float32, Float64

_MIN_DEPTH_M = 0.2
_MIN_WEIGHT = 0.01
"""Of what is hardly seen: enough to place somebody of whom nothing is seen well."""
_ROUNDS = 3


def translation(transforms: Float32, seen: Correspondences) -> Float32:
    """Return what to add to a body so that its points project onto what was seen.

    Minimises the distances between points and rays, weighted by how well they are
    seen, with a few rounds that trust outliers less (Huber).

    Args:
        transforms: T_camera_joint of the body about any origin, (55, 4, 4), metres.
        seen: which points were seen where.

    Returns:
        (3,) metres, camera frame; the body is put in front of the camera.
    """
    points = seen.points.place(transforms).astype(np.float64)
    weight = seen.weight + _MIN_WEIGHT
    robust = np.ones_like(weight)
    t = np.array([0.0, 0.0, 3.0])
    for _ in range(_ROUNDS):
        t = _solve(points, seen.rays, weight * robust)
        t[2] = max(t[2], _MIN_DEPTH_M - float(points[:, 2].min()))
        at = points + t
        gap = np.linalg.norm(at[:, :2] / at[:, 2:] - seen.rays, axis=1)
        scale = max(float(np.median(gap)) * 1.5, 1e-6)
        robust = np.minimum(1.0, scale / np.maximum(gap, 1e-9))
    return t.astype(np.float32)


def _solve(points: Float64, rays: Float64, weight: Float64) -> Float64:
    """Solve (x + t_x) = u (z + t_z), (y + t_y) = v (z + t_z) for t by least squares."""
    u, v = rays[:, 0], rays[:, 1]
    zero, one = np.zeros_like(u), np.ones_like(u)
    A = np.concatenate([np.stack([one, zero, -u], 1), np.stack([zero, one, -v], 1)])
    b = np.concatenate(
        [u * points[:, 2] - points[:, 0], v * points[:, 2] - points[:, 1]]
    )
    w = np.concatenate([weight, weight])
    normal = (A * w[:, None]).T @ A + 1e-9 * np.eye(3)
    return np.asarray(np.linalg.solve(normal, (A * w[:, None]).T @ b), np.float64)
