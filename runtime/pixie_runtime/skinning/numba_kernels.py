"""The mesh's inner loops, compiled for this processor by numba."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.numba_code import compiled
from pixie_runtime.skinning.crew import Crew
from pixie_runtime.skinning.pairing import JOINT_GROUPS, PairedBody
from pixie_runtime.skinning.skin_tiles import skin_tiles
from pixie_runtime.skinning.whole_factors import whole_factors
from pixie_runtime.types import Float32


def _vertex_normals(
    begin: int,
    end: int,
    vertices: Any,
    face_start: Any,
    corner_b: Any,
    corner_c: Any,
    out: Any,
) -> None:
    """Sum the adjoining faces' areas at every vertex and make them unit vectors.

    Vertices from `begin` to `end`; `vertices` and `out` are (V, 3), the others as in
    `Adjacency`.
    """
    for vertex in range(begin, end):
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


class Kernels:
    """The compiled loops; any thread may call them."""

    def __init__(self, cache_dir: Path | None, crew: Crew) -> None:
        """Make loops that compile at their first use or are read from `cache_dir`.

        Args:
            cache_dir: None, or a folder that cannot be written to, compiles again in
                every process.
            crew: Shares the loops out.
        """
        self._factors, self._skin, self._normals = _loops(cache_dir)
        self._crew = crew

    def skin(
        self,
        body: PairedBody,
        *,
        coefficients: Float32,
        rest: Float32,
        motions: Float32,
        out: Float32,
    ) -> None:
        """Write the vertices (V, 3) to `out`.

        Args:
            body: The model.
            coefficients: What its groups scale with, (G, 9).
            rest: The vertices before displacements, (T, 48).
            motions: Each joint's 3x4 matrix from the rest pose, (55, 12).
            out: (V, 3)
        """
        factors = np.empty(coefficients.shape, np.int16)
        units = np.empty(len(coefficients), np.float32)
        for begin, end in ((0, JOINT_GROUPS), (JOINT_GROUPS, len(coefficients))):
            self._factors(coefficients, begin, end, factors, units)
        arguments = (
            body.pair_start,
            body.groups,
            body.steps,
            body.values,
            factors,
            units,
            rest,
            body.weights.start,
            body.weights.joint,
            body.weights.values,
            motions,
            out,
        )
        skin = self._skin
        self._crew.run(lambda begin, end: skin(begin, end, *arguments), len(rest))

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
        arguments = (vertices, face_start, corner_b, corner_c, out)
        normals = self._normals
        self._crew.run(lambda begin, end: normals(begin, end, *arguments), len(out))


@cache
def _loops(cache_dir: Path | None) -> list[Callable[..., None]]:
    loops = (whole_factors, skin_tiles, _vertex_normals)
    return [compiled(loop, cache_dir) for loop in loops]
