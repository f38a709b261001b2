"""Rotations in numpy: unit quaternions wxyz inside, every other form at the edges.

All functions take leading batch axes and keep the precision of what they are given.
The 6D form is the paper's (Zhou et al. 2019) in the official checkpoint's order: a
row-major 3x2 matrix, `a_x b_x a_y b_y a_z b_z` (spec: pixie-network, section 0).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

_EPS = 1e-12


def identity(*shape: int) -> npt.NDArray[np.float32]:
    """Return identity quaternions, (*shape, 4)."""
    q = np.zeros((*shape, 4), np.float32)
    q[..., 0] = 1.0
    return q


def normalise(q: Array) -> Array:
    """Scale quaternions (..., 4) to unit length."""
    return np.asarray(q / np.maximum(np.linalg.norm(q, axis=-1, keepdims=True), _EPS))


def multiply(a: Array, b: Array) -> Array:
    """Compose quaternions (..., 4): first `b`, then `a`."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def inverse(q: Array) -> Array:
    """Invert unit quaternions (..., 4)."""
    return q * np.asarray([1, -1, -1, -1], q.dtype)


def apply(q: Array, v: Array) -> Array:
    """Turn vectors (..., 3) by unit quaternions (..., 4)."""
    u, w = q[..., 1:], q[..., :1]
    t = 2 * np.cross(u, v)
    return v + w * t + np.cross(u, t)


def to_matrix(q: Array) -> Array:
    """Turn unit quaternions (..., 4) into matrices (..., 3, 3)."""
    w, x, y, z = np.moveaxis(q, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrix(R: Array) -> Array:
    """Turn rotation matrices (..., 3, 3) into unit quaternions with w >= 0.

    Takes the largest of the four components as pivot (Shepperd 1978), so that no
    rotation, half turns included, divides by a small number.
    """
    m00, m11, m22 = R[..., 0, 0], R[..., 1, 1], R[..., 2, 2]
    squares = np.stack(
        [
            1 + m00 + m11 + m22,
            1 + m00 - m11 - m22,
            1 - m00 + m11 - m22,
            1 - m00 - m11 + m22,
        ],
        axis=-1,
    )
    wx, wy, wz = (
        R[..., 2, 1] - R[..., 1, 2],
        R[..., 0, 2] - R[..., 2, 0],
        R[..., 1, 0] - R[..., 0, 1],
    )
    xy, xz, yz = (
        R[..., 0, 1] + R[..., 1, 0],
        R[..., 0, 2] + R[..., 2, 0],
        R[..., 1, 2] + R[..., 2, 1],
    )
    sw, sx, sy, sz = np.moveaxis(squares, -1, 0)
    candidates = np.stack(
        [
            np.stack([sw, wx, wy, wz], axis=-1),
            np.stack([wx, sx, xy, xz], axis=-1),
            np.stack([wy, xy, sy, yz], axis=-1),
            np.stack([wz, xz, yz, sz], axis=-1),
        ],
        axis=-2,
    )
    pivot = np.argmax(squares, axis=-1)
    q = np.take_along_axis(candidates, pivot[..., None, None], axis=-2)[..., 0, :]
    return normalise(np.where(q[..., :1] < 0, -q, q))


def to_rotvec(q: Array) -> Array:
    """Turn unit quaternions (..., 4) into rotation vectors (..., 3) up to pi long."""
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    # For small angles angle / sine tends to 2; the guard keeps the division finite.
    scale = np.where(sine > 1e-7, angle / np.maximum(sine, 1e-7), 2.0)
    return np.asarray(q[..., 1:] * scale, q.dtype)


def from_rotvec(w: Array) -> Array:
    """Turn rotation vectors (..., 3), axis times angle, into unit quaternions."""
    angle = np.linalg.norm(w, axis=-1, keepdims=True)
    half = angle / 2
    scale = np.where(angle > 1e-7, np.sin(half) / np.maximum(angle, 1e-7), 0.5)
    return np.concatenate([np.cos(half), w * scale], axis=-1).astype(w.dtype)


def matrix_from_6d(d6: Array) -> Array:
    """Turn 6D rotations (..., 6) into matrices (..., 3, 3) by Gram-Schmidt.

    The six numbers are a row-major 3x2 matrix; its orthonormalised columns and their
    cross product are the columns of the result.
    """
    a, b = d6[..., 0::2], d6[..., 1::2]
    x = a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), _EPS)
    y = b - np.sum(x * b, axis=-1, keepdims=True) * x
    y = y / np.maximum(np.linalg.norm(y, axis=-1, keepdims=True), _EPS)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def matrix_to_6d(R: Array) -> Array:
    """Return the 6D form (..., 6) of matrices (..., 3, 3): their first two columns."""
    return R[..., :2].reshape(*R.shape[:-2], 6)


def slerp(a: Array, b: Array, t: Array | float) -> Array:
    """Go from `a` towards `b` along the shorter arc; `t` in [0, 1] broadcasts."""
    step = to_rotvec(multiply(inverse(a), b))
    t = np.asarray(t, step.dtype)
    return normalise(multiply(a, from_rotvec(step * t[..., None])))


def angle_between(a: Array, b: Array) -> Array:
    """Return the angle in radians between rotations `a` and `b`, (...)."""
    return np.asarray(np.linalg.norm(to_rotvec(multiply(inverse(a), b)), axis=-1))
