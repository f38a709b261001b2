"""The mesh's inner loops, compiled for this processor by numba.

Of loops that several cores share one call runs at a time: all such calls from here
share the lock of numba's pool of threads.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from pixie_runtime.numba_code import CONFIG, POOL, compiled
from pixie_runtime.skinning.packing import PackedBody
from pixie_runtime.types import Float32

LANES = 16
"""Vertices in a tile: sixteen float32 are the widest register of a PC's processor."""

_AXES = 3 * LANES
_CHUNKS = 8
"""Pieces that the cores share out; each keeps its scratch memory."""


def _skin_tiles(
    entry_start: Any,
    entry_group: Any,
    steps: Any,
    values: Any,
    coefficients: Any,
    rest: Any,
    joint_start: Any,
    joint: Any,
    weights: Any,
    motions: Any,
    out: Any,
) -> None:
    """Displace, then skin, tile by tile.

    Arrays as in `PackedBody`; further `coefficients` (G, 9) that the groups scale with,
    `rest` (T, 48), the vertices before all that, `motions` (55, 12), each joint's 3x4
    matrix from the rest pose, and `out` (V, 3), the vertices.
    """
    count = rest.shape[0]
    for chunk in numba.prange(_CHUNKS):
        v = np.empty(_AXES, np.float32)
        skinned = np.empty((3, LANES), np.float32)
        for tile in range(chunk * count // _CHUNKS, (chunk + 1) * count // _CHUNKS):
            for lane in range(_AXES):
                v[lane] = rest[tile, lane]
            for entry in range(entry_start[tile], entry_start[tile + 1]):
                c = coefficients[entry_group[entry]]
                any_moves = False
                for k in range(9):
                    any_moves |= c[k] != 0
                if not any_moves:
                    continue
                step, d = steps[entry], values[entry]
                # Nine factors in registers, one pass: what the vectoriser likes.
                c0, c1, c2 = c[0] * step[0], c[1] * step[1], c[2] * step[2]
                c3, c4, c5 = c[3] * step[3], c[4] * step[4], c[5] * step[5]
                c6, c7, c8 = c[6] * step[6], c[7] * step[7], c[8] * step[8]
                for lane in range(_AXES):
                    v[lane] += (
                        c0 * np.float32(d[0, lane])
                        + c1 * np.float32(d[1, lane])
                        + c2 * np.float32(d[2, lane])
                        + c3 * np.float32(d[3, lane])
                        + c4 * np.float32(d[4, lane])
                        + c5 * np.float32(d[5, lane])
                        + c6 * np.float32(d[6, lane])
                        + c7 * np.float32(d[7, lane])
                        + c8 * np.float32(d[8, lane])
                    )
            skinned[:] = np.float32(0)
            for row in range(joint_start[tile], joint_start[tile + 1]):
                # Moving the points by every joint and mixing the results touches a
                # quarter of the memory that mixing the matrices first would.
                m, weight = motions[joint[row]], weights[row]
                m0, m1, m2, m3 = m[0], m[1], m[2], m[3]
                m4, m5, m6, m7 = m[4], m[5], m[6], m[7]
                m8, m9, m10, m11 = m[8], m[9], m[10], m[11]
                for lane in range(LANES):
                    x, y, z = v[lane], v[LANES + lane], v[2 * LANES + lane]
                    w = weight[lane]
                    skinned[0, lane] += w * (m0 * x + m1 * y + m2 * z + m3)
                    skinned[1, lane] += w * (m4 * x + m5 * y + m6 * z + m7)
                    skinned[2, lane] += w * (m8 * x + m9 * y + m10 * z + m11)
            first = tile * LANES
            for lane in range(min(LANES, out.shape[0] - first)):
                for axis in range(3):
                    out[first + lane, axis] = skinned[axis, lane]


def _vertex_normals(
    vertices: Any, face_start: Any, corner_b: Any, corner_c: Any, out: Any
) -> None:
    """Sum the adjoining faces' areas at every vertex and make them unit vectors.

    `vertices` and `out` are (V, 3), the others as in `Adjacency`.
    """
    for vertex in numba.prange(vertices.shape[0]):
        ax, ay, az = vertices[vertex, 0], vertices[vertex, 1], vertices[vertex, 2]
        nx, ny, nz = np.float32(0), np.float32(0), np.float32(0)
        for corner in range(face_start[vertex], face_start[vertex + 1]):
            b, c = corner_b[corner], corner_c[corner]
            ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
            wx, wy, wz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
            nx += uy * wz - uz * wy
            ny += uz * wx - ux * wz
            nz += ux * wy - uy * wx
        length = np.float32(np.sqrt(nx * nx + ny * ny + nz * nz))
        scale = np.float32(1) / max(length, np.float32(1e-20))
        out[vertex, 0], out[vertex, 1] = nx * scale, ny * scale
        out[vertex, 2] = nz * scale


@dataclass(frozen=True, slots=True, eq=False)
class Kernels:
    """The compiled loops; any thread may call them."""

    _skin: Callable[..., None]
    _normals: Callable[..., None]
    _threads: int

    def skin(
        self,
        packed: PackedBody,
        *,
        coefficients: Float32,
        rest: Float32,
        motions: Float32,
        out: Float32,
    ) -> None:
        """Write the vertices (V, 3) to `out`; arguments as in `_skin_tiles`."""
        with self._cores():
            self._skin(
                packed.entry_start,
                packed.entry_group,
                packed.steps,
                packed.values,
                coefficients,
                rest,
                packed.joint_start,
                packed.joint,
                packed.weights,
                motions,
                out,
            )

    def normals(
        self,
        vertices: Float32,
        *,
        face_start: Any,
        corner_b: Any,
        corner_c: Any,
        out: Float32,
    ) -> None:
        """Write unit normals (V, 3) to `out`; arguments as in `_vertex_normals`."""
        with self._cores():
            self._normals(vertices, face_start, corner_b, corner_c, out)

    @contextmanager
    def _cores(self) -> Iterator[None]:
        """Have numba's pool to oneself, if the loops use it."""
        if self._threads == 1:
            yield
            return
        with POOL:
            numba.set_num_threads(min(self._threads, CONFIG.NUMBA_NUM_THREADS))
            yield


def kernels(cache_dir: Path | None, threads: int) -> Kernels:
    """Return the loops, compiled at their first use or read from `cache_dir`.

    None, or a folder that cannot be written to, compiles again in every process. With
    one thread they run in the caller's, and let others run meanwhile.
    """
    with POOL:
        loops = _serial(cache_dir) if threads == 1 else _shared(cache_dir)
    return Kernels(*loops, threads)


@cache
def _serial(cache_dir: Path | None) -> tuple[Any, Any]:
    # numba does not tell apart what it keeps of one function compiled in two ways.
    folder = cache_dir / "serial" if cache_dir else None
    return (
        compiled(_skin_tiles, folder, nogil=True),
        compiled(_vertex_normals, folder, nogil=True),
    )


@cache
def _shared(cache_dir: Path | None) -> tuple[Any, Any]:
    # OpenMP's threads spin after each call and take the cores from the networks. Where
    # the program has already started a pool this has no effect.
    if "NUMBA_THREADING_LAYER" not in os.environ:
        CONFIG.THREADING_LAYER = "workqueue"
    return (
        compiled(_skin_tiles, cache_dir, parallel=True),
        compiled(_vertex_normals, cache_dir, parallel=True),
    )
