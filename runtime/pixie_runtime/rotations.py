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

Table = npt.NDArray[np.float64]

# numpy's cost on a body's 55 rotations is per call, not per number: what is a sum of
# products is one small matrix product with a table of signs.


def _hamilton() -> Table:
    """Return (16, 4): a quaternion product out of all products of components."""
    table = np.zeros((4, 4, 4))
    table[0, range(4), range(4)] = table[range(4), 0, range(4)] = 1
    table[range(1, 4), range(1, 4), 0] = -1
    for i, j, k in ((1, 2, 3), (2, 3, 1), (3, 1, 2)):
        table[i, j, k], table[j, i, k] = 1, -1
    return table.reshape(16, 4)


def _matrix_of_products() -> Table:
    """Return (16, 9): R - 1 of a unit quaternion out of products of components."""
    table = np.zeros((4, 4, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        table[i + 1, i + 1, [j, k], [j, k]] = -2
        table[i + 1, j + 1, [i, j], [j, i]] = 2
        table[0, k + 1, i, j], table[0, k + 1, j, i] = -2, 2
    return table.reshape(16, 9)


def _products_of_matrix() -> Table:
    """Return (9, 16): 4 q q^T of a rotation matrix, less 1 on the diagonal."""
    table = np.zeros((3, 3, 4, 4))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        table[i, i, [0, i + 1], [0, i + 1]] = 1
        table[i, i, [j + 1, k + 1], [j + 1, k + 1]] = -1
        for m, n in ((i, j), (j, i)):
            table[m, n, [i + 1, j + 1], [j + 1, i + 1]] = 1
        table[j, i, [0, k + 1], [k + 1, 0]] = 1
        table[i, j, [0, k + 1], [k + 1, 0]] = -1
    return table.reshape(9, 16)


_HAMILTON = _hamilton()
_MATRIX_OF_PRODUCTS = _matrix_of_products()
_PRODUCTS_OF_MATRIX = _products_of_matrix()


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
    products = a[..., :, None] * b[..., None, :]
    flat = products.reshape(*products.shape[:-2], 16)
    return flat @ _HAMILTON.astype(flat.dtype, copy=False)


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
    flat = (q[..., :, None] * q[..., None, :]).reshape(*q.shape[:-1], 16)
    R = flat @ _MATRIX_OF_PRODUCTS.astype(q.dtype, copy=False)
    R[..., ::4] += 1
    return np.asarray(R.reshape(*q.shape[:-1], 3, 3))


def from_matrix(R: Array) -> Array:
    """Turn rotation matrices (..., 3, 3) into unit quaternions with w >= 0.

    Takes the largest of the four components as pivot (Shepperd 1978), so that no
    rotation, half turns included, divides by a small number.
    """
    flat = R.reshape(*R.shape[:-2], 9)
    candidates = flat @ _PRODUCTS_OF_MATRIX.astype(flat.dtype, copy=False)
    candidates = candidates.reshape(*R.shape[:-2], 4, 4)
    squares = np.einsum("...ii->...i", candidates)
    squares += 1
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
