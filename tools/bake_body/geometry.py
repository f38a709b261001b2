"""Rotation matrices for whole batches, and the few mesh formulas that the bake needs.

All functions take leading batch axes and work in float64.
"""

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from tools.bake_body.arrays import Float, Int

MIRROR_X = np.array([-1.0, 1.0, 1.0])
"""Reflects points in the body's plane of symmetry."""


def unit(v: Float) -> Float:
    """Scale vectors (..., 3) to length one."""
    return np.asarray(v / np.linalg.norm(v, axis=-1, keepdims=True))


def matrix_of(rotvec: npt.ArrayLike) -> Float:
    """Turn rotation vectors (..., 3) in radians into matrices (..., 3, 3)."""
    w = np.asarray(rotvec, np.float64)
    return rotations.to_matrix(rotations.from_rotvec(w))


def rotvec_of(R: Float) -> Float:
    """Turn matrices (..., 3, 3) into rotation vectors (..., 3) in radians."""
    return rotations.to_rotvec(rotations.from_matrix(R))


def part_of(R: Float, share: float) -> Float:
    """Turn by `share` of the angle of R (..., 3, 3) about the same axis."""
    return matrix_of(share * rotvec_of(R))


def shortest_turn(a: Float, b: Float) -> Float:
    """Return the smallest rotation (..., 3, 3) that aims directions a at b."""
    a, b = unit(a), unit(b)
    v = np.cross(a, b)
    K = skew(v)
    cos = (a * b).sum(-1)[..., None, None]
    return np.asarray(np.eye(3) + K + K @ K / (1 + cos))


def skew(v: Float) -> Float:
    """Return the cross product matrices (..., 3, 3) of vectors (..., 3)."""
    K = np.zeros((*v.shape, 3))
    K[..., 0, 1], K[..., 0, 2], K[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return np.asarray(K - np.swapaxes(K, -1, -2))


def frame(x: Float, y: Float) -> Float:
    """Return right-handed frames (..., 3, 3): column 0 along x, column 1 near y."""
    x = unit(x)
    z = unit(np.cross(x, y))
    return np.stack([x, np.cross(z, x), z], -1)


def nearest_rotation(A: Float) -> Float:
    """Return the rotation (..., 3, 3) nearest to each matrix (polar decomposition)."""
    U, _, Vt = np.linalg.svd(A)
    U[..., 2] *= np.sign(np.linalg.det(U @ Vt))[..., None]
    return np.asarray(U @ Vt)


def vertex_normals(vertices: Float, faces: Int) -> Float:
    """Return area-weighted unit normals (V, 3) of a triangle mesh."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.zeros(vertices.shape)
    for k in range(3):
        np.add.at(normals, faces[:, k], face_normals)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-12))


def volume(vertices: Float, faces: Int) -> float:
    """Return the signed volume in cubic metres of a closed triangle mesh."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float((np.cross(a, b) * c).sum() / 6.0)


def smoothstep(x: Float, low: float, high: float) -> Float:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
