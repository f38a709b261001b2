"""Smooth shading: vertex normals and a lamp beside the camera."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32

Ints = npt.NDArray[np.signedinteger[Any]]

TO_LAMP = np.array([-0.35, -0.55, -0.76], np.float32)
"""Unit vector towards a lamp above the camera's left shoulder, camera frame."""
AMBIENT, LAMP, HEADLIGHT = 0.25, 0.55, 0.3


def vertex_normals(vertices: Float32, faces: Ints) -> Float32:
    """Return unit normals (V, 3): the mean of the adjoining faces', by their area."""
    x, y, z = vertices.T
    a, b, c = faces.T
    ux, uy, uz = x[b] - x[a], y[b] - y[a], z[b] - z[a]
    vx, vy, vz = x[c] - x[a], y[c] - y[a], z[c] - z[a]
    areas = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    corners = faces.T.ravel()
    sums = [np.bincount(corners, np.tile(area, 3), len(vertices)) for area in areas]
    normals = np.stack(sums, axis=1)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-20), np.float32)


def brightness(normals: Float32) -> Float32:
    """Return how bright a matt surface looks, (V,), about 0.25 to 1.1."""
    lamp = np.maximum(normals @ TO_LAMP, 0)
    headlight = np.maximum(-normals[:, 2], 0)
    return np.asarray(AMBIENT + LAMP * lamp + HEADLIGHT * headlight, np.float32)
