"""From points to a surface: exact distances to triangles, found with k-d trees.

P2S, point to surface (paper, Table 1's P2S): how far each point of a scan is from the
estimated surface, mean and median over the scan's points. The triangles near a point
are found through trees of their middles, one tree for each doubling of their size: on a
body a triangle of the eyelid is fifty times smaller than one of the back.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from pixie_runtime.types import Float64
from pixie_train.evaluation.alignment import Points

_POINTS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh, ready to be asked for the points nearest to others."""

    vertices: Float64
    """(V, 3)."""
    faces: npt.NDArray[np.int64]
    """Triangles, (F, 3)."""

    def distances(self, points: Points) -> Float64:
        """Return how far each of the points (n, 3) is from the surface, (n,)."""
        points = np.asarray(points, np.float64)
        return np.asarray(np.linalg.norm(self.nearest(points) - points, axis=1))

    def nearest(self, points: Points) -> Float64:
        """Return the surface's point nearest to each of the points (n, 3), (n, 3)."""
        wanted: Float64 = np.asarray(points, np.float64)
        parts = [
            self._nearest(wanted[start : start + _POINTS_AT_ONCE])
            for start in range(0, len(wanted), _POINTS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 3))

    def _nearest(self, points: Float64) -> Float64:
        best = self._corners[self._first_guess(points)]
        best = closest_on_triangles(points, best)
        best_gap = np.square(best - points).sum(1)
        for faces, radius, tree in self._classes:
            # A millionth more: a triangle exactly as far away must not be lost.
            reach = (np.sqrt(best_gap) + radius) * (1 + 1e-6) + 1e-12
            near = tree.query_ball_point(points, reach)
            counts = np.array([len(row) for row in near])
            if not counts.any():
                continue
            pairs = faces[np.concatenate([row for row in near if row]).astype(np.int64)]
            rows = np.repeat(np.arange(len(points)), counts)
            found = closest_on_triangles(points[rows], self._corners[pairs])
            gap = np.square(found - points[rows]).sum(1)
            order = np.lexsort((gap, rows))
            first = order[np.unique(rows[order], return_index=True)[1]]
            better = first[gap[first] < best_gap[rows[first]]]
            best[rows[better]], best_gap[rows[better]] = found[better], gap[better]
        return best

    def _first_guess(self, points: Float64) -> npt.NDArray[np.int64]:
        """Return the triangle whose middle is nearest: how far to look at most."""
        guesses = [tree.query(points) for _, _, tree in self._classes]
        gaps = np.array([gap for gap, _ in guesses])
        rows = np.array(
            [
                faces[k]
                for (faces, _, _), (_, k) in zip(self._classes, guesses, strict=True)
            ]
        )
        return np.asarray(rows[gaps.argmin(0), np.arange(len(points))], np.int64)

    @cached_property
    def _corners(self) -> Float64:
        return np.asarray(self.vertices[self.faces], np.float64)

    @cached_property
    def _classes(self) -> list[tuple[npt.NDArray[np.int64], float, Any]]:
        """Return triangles of about one size, their largest radius, and their tree."""
        middles = self._corners.mean(1)
        radii = np.linalg.norm(self._corners - middles[:, None], axis=2).max(1)
        size = np.floor(np.log2(np.maximum(radii, 1e-12))).astype(np.int64)
        classes = []
        for value in np.unique(size):
            rows = np.flatnonzero(size == value)
            classes.append((rows, float(radii[rows].max()), cKDTree(middles[rows])))
        return classes


def closest_on_triangles(points: Float64, corners: Float64) -> Float64:
    """Return the point of each triangle (n, 3, 3) nearest to its point (n, 3).

    The projection onto the plane where it falls inside, else the nearest of the three
    edges' nearest points.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    area = np.square(normal).sum(1)
    flat = area < 1e-24 * np.maximum(np.square(corners).sum((1, 2)), 1e-300) ** 2
    safe = np.where(flat, 1.0, area)
    offset = points - a
    v = (np.cross(offset, c - a) * normal).sum(1) / safe
    w = (np.cross(b - a, offset) * normal).sum(1) / safe
    inside = (v >= 0) & (w >= 0) & (v + w <= 1) & ~flat
    best = a + v[:, None] * (b - a) + w[:, None] * (c - a)
    outside = ~inside
    if outside.any():
        at, triangles = points[outside], corners[outside]
        edges = [
            _closest_on_segments(at, triangles[:, i], triangles[:, (i + 1) % 3])
            for i in range(3)
        ]
        gaps = np.array([np.square(edge - at).sum(1) for edge in edges])
        best[outside] = np.array(edges)[gaps.argmin(0), np.arange(len(at))]
    return np.asarray(best, np.float64)


def _closest_on_segments(points: Float64, start: Float64, end: Float64) -> Float64:
    along = end - start
    length = np.maximum(np.square(along).sum(1), 1e-300)
    share = (((points - start) * along).sum(1) / length).clip(0, 1)
    return np.asarray(start + share[:, None] * along, np.float64)
