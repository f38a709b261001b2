"""Bringing one set of points onto another before their distances are measured."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float64

Points = npt.NDArray[np.floating[Any]]
Alignment = Literal["none", "translation", "rigid", "similarity"]
"""What is taken away: nothing; where things are; and how they are turned; and their
size. The paper's TR is "translation", its PA "similarity"."""


@dataclass(frozen=True, eq=False)
class Transform:
    """x -> scale R x + t."""

    scale: float
    R: Float64
    """Rotation, (3, 3)."""
    t: Float64
    """(3,), in the units of the points."""

    def __call__(self, points: Points) -> Float64:
        """Return points (..., 3) moved."""
        moved = self.scale * np.asarray(points, np.float64) @ self.R.T + self.t
        return np.asarray(moved, np.float64)


def align(source: Points, target: Points, how: Alignment) -> Transform:
    """Return the motion of a kind that leaves the least squares between points.

    Similarities are Umeyama's (1991) solution of the Procrustes problem: rotations
    only, no reflections.

    Args:
        source: (n, 3).
        target: (n, 3), row for row the same points.
        how: which motions are allowed.

    Raises:
        ValueError: the points are not as many, or none.
    """
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if a.shape != b.shape or a.ndim != 2 or not len(a):
        raise ValueError(f"points {a.shape} cannot be aligned with points {b.shape}")
    if how == "none":
        return Transform(1.0, np.eye(3), np.zeros(3))
    middle_a, middle_b = a.mean(0), b.mean(0)
    if how == "translation":
        return Transform(1.0, np.eye(3), middle_b - middle_a)
    a, b = a - middle_a, b - middle_b
    U, sizes, Vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(U) * np.linalg.det(Vt)) or 1.0])
    R = (U * signs) @ Vt
    spread = np.square(a).sum()
    scale = 1.0
    if how == "similarity" and spread > 0:
        scale = float((sizes * signs).sum() / spread)
    return Transform(scale, R, middle_b - scale * R @ middle_a)


def distances(predicted: Points, true: Points, how: Alignment) -> Float64:
    """Return how far points (n, 3) are from the true ones after alignment, (n,)."""
    moved = align(predicted, true, how)(predicted)
    return np.asarray(np.linalg.norm(moved - true, axis=1), np.float64)


def about(points: Points, root: Points) -> Float64:
    """Return points (n, 3) relative to `root`, a point (3,) or the middle of some."""
    middle = np.asarray(root, np.float64).reshape(-1, 3).mean(0)
    relative: Float64 = np.asarray(points, np.float64) - middle
    return relative
