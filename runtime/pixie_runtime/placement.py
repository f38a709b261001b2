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
_ALMOST_NOTHING = 1e-9
"""Added to the weights, so that points in one direction divide nothing by 0."""


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
    terms = _terms(points, seen.rays)
    nearest = _MIN_DEPTH_M - float(points[:, 2].min())
    t = np.array([0.0, 0.0, 3.0])
    for _ in range(_ROUNDS):
        t = _solve((weight * robust) @ terms)
        t[2] = max(t[2], nearest)
        at = points + t
        off = at[:, :2] / at[:, 2:] - seen.rays
        gap = np.hypot(off[:, 0], off[:, 1])
        scale = max(_median(gap) * 1.5, 1e-6)
        robust = np.minimum(1.0, scale / np.maximum(gap, 1e-9))
    return t.astype(np.float32)


def _terms(points: Float64, rays: Float64) -> Float64:
    """Return what the normal equations are sums of, (P, 7); see `_solve`."""
    u, v = rays.T
    x, y, z = points.T
    b, c = u * z - x, v * z - y
    return np.stack([np.ones_like(u), u, v, u * u + v * v, b, c, u * b + v * c], 1)


def _solve(sums: Float64) -> Float64:
    """Solve (x + t_x) = u (z + t_z), (y + t_y) = v (z + t_z) for t by least squares.

    The normal equations, `b` and `c` the right sides u z - x and v z - y:
    t_x = (sum b + t_z sum u) / n, t_y likewise, and with these t_z.

    Args:
        sums: of 1, u, v, u^2 + v^2, b, c and u b + v c, each times its weight.
    """
    n, u, v, uu, b, c, ub = sums.tolist()
    n, uu = n + _ALMOST_NOTHING, uu + _ALMOST_NOTHING
    spread = uu - (u * u + v * v) / n
    z = ((u * b + v * c) / n - ub) / spread
    return np.array([(b + u * z) / n, (c + v * z) / n, z])


def _median(values: Float64) -> float:
    # numpy's own takes ten times as long for so few.
    ordered, count = np.sort(values), len(values)
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2
