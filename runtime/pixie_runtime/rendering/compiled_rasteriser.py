"""The rasteriser's loops, compiled for this processor by numba."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.numba_code import compiled, despite_damage
from pixie_runtime.rendering.rasteriser import (
    NEAR_M,
    SEAM_PX,
    Ints,
    VisibleSurface,
    homogeneous,
)
from pixie_runtime.types import Camera, Float32, Float64


def _draw(
    points: Any,
    places: Any,
    faces: Any,
    top: int,
    left: int,
    edges: Any,
    inverse_depth: Any,
    winner: Any,
) -> None:
    """Find the nearest front-facing triangle at every pixel centre of a window.

    `points` (V, 3) are pixel coordinates times depth, and depth; `places` (V, 2) the
    pixel coordinates of those in front of the camera; `faces` (F, 3). The window begins
    at the row `top` and the column `left`. Writes to `edges` (F, 3, 3) the corners'
    weights over depth as functions of (x, y, 1), where a triangle faces the camera; to
    `inverse_depth` (h, w), 0 so far, and `winner` (h, w), -1 so far.
    """
    height, width = winner.shape
    for f in range(faces.shape[0]):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        first_row, last_row, first_column, last_column = 0, height - 1, 0, width - 1
        nearest, farthest = min(a[2], b[2], c[2]), max(a[2], b[2], c[2])
        # A corner behind the camera has no place in the picture: look everywhere.
        if nearest >= NEAR_M:
            ax, ay = places[faces[f, 0], 0], places[faces[f, 0], 1]
            bx, by = places[faces[f, 1], 0], places[faces[f, 1], 1]
            cx, cy = places[faces[f, 2], 0], places[faces[f, 2], 1]
            if (bx - ax) * (cy - ay) >= (by - ay) * (cx - ax):
                continue
            x, y = left + 0.5, top + 0.5
            first_row = int(np.ceil(max(min(ay, by, cy) - y, 0.0)))
            last_row = int(np.floor(min(max(ay, by, cy) - y, height - 1.0)))
            first_column = int(np.ceil(max(min(ax, bx, cx) - SEAM_PX - x, 0.0)))
            last_column = int(np.floor(min(max(ax, bx, cx) + SEAM_PX - x, width - 1.0)))
        if last_row < first_row or last_column < first_column:
            continue
        e = edges[f]
        for axis in range(3):
            i, j = (axis + 1) % 3, (axis + 2) % 3
            e[0, axis] = b[i] * c[j] - b[j] * c[i]
            e[1, axis] = c[i] * a[j] - c[j] * a[i]
            e[2, axis] = a[i] * b[j] - a[j] * b[i]
        volume = a[0] * e[0, 0] + a[1] * e[0, 1] + a[2] * e[0, 2]
        # Written so that what is not a number is left out as well.
        if not (volume < 0 and farthest >= NEAR_M):
            continue
        scale = 1 / volume
        for corner in range(3):
            for axis in range(3):
                e[corner, axis] *= scale
        x_slope = e[0, 0] + e[1, 0] + e[2, 0]
        y_slope = e[0, 1] + e[1, 1] + e[2, 1]
        constant = e[0, 2] + e[1, 2] + e[2, 2]
        for row in range(first_row, last_row + 1):
            y = top + row + 0.5
            begin, end = float(first_column), float(last_column)
            for corner in range(3):
                # An edge along the rows crosses them very far away.
                slope = e[corner, 0] if e[corner, 0] != 0 else 1e-30
                at_edge = -(e[corner, 1] * y + e[corner, 2])
                crossing = at_edge / slope - left - 0.5
                if slope > 0:
                    begin = max(begin, min(crossing - SEAM_PX, width))
                else:
                    end = min(end, crossing + SEAM_PX)
            at_row = y_slope * y + constant
            for column in range(int(np.ceil(begin)), int(np.floor(end)) + 1):
                inverse = np.float32(x_slope * (left + column + 0.5) + at_row)
                if inverse > inverse_depth[row, column]:
                    inverse_depth[row, column] = inverse
                    winner[row, column] = f


def _collect(
    edges: Any,
    winner: Any,
    top: int,
    left: int,
    picture_width: int,
    pixels: Any,
    triangles: Any,
    weights: Any,
    depth: Any,
) -> None:
    """Write what is seen in each covered pixel, as in `VisibleSurface`."""
    n = 0
    for row in range(winner.shape[0]):
        for column in range(winner.shape[1]):
            f = winner[row, column]
            if f < 0:
                continue
            x, y = left + column + 0.5, top + row + 0.5
            inverse = np.float32(0)
            for corner in range(3):
                e = edges[f, corner]
                # Rounding may leave a pixel on an edge a hair outside its triangle.
                weight = max(np.float32(e[0] * x + e[1] * y + e[2]), np.float32(1e-9))
                weights[corner, n] = weight
                inverse += weight
            for corner in range(3):
                weights[corner, n] /= inverse
            pixels[n] = (top + row) * picture_width + left + column
            triangles[n] = f
            depth[n] = np.float32(1) / inverse
            n += 1


@cache
def _loops(cache_dir: Path | None) -> tuple[Callable[..., None], Callable[..., None]]:
    return compiled(_draw, cache_dir), compiled(_collect, cache_dir)


class CompiledRasteriser:
    """Finds what `rasterise` finds, in a quarter of the time; any thread may ask."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        """Compile, or read what was compiled before.

        Args:
            cache_dir: folder of compiled code; None keeps none.
        """
        self._draw, self._collect = despite_damage(self._warmed, cache_dir)

    def __call__(
        self, vertices: Float32, faces: Ints, camera: Camera
    ) -> VisibleSurface:
        """Find the nearest triangle at every pixel centre; see `rasterise`."""
        rows = homogeneous(vertices, camera)
        places = rows[:2] / np.maximum(rows[2], NEAR_M)
        top, left, height, width = _window(places, rows[2], camera)
        edges = np.empty((len(faces), 3, 3))
        inverse_depth = np.zeros((height, width), np.float32)
        winner = np.full((height, width), -1, np.int32)
        corners = np.ascontiguousarray(faces, np.int32)
        points, places = np.ascontiguousarray(rows.T), np.ascontiguousarray(places.T)
        self._draw(points, places, corners, top, left, edges, inverse_depth, winner)
        count = np.count_nonzero(winner >= 0)
        seen = VisibleSurface(
            pixels=np.empty(count, np.int64),
            triangles=np.empty(count, np.int64),
            weights=np.empty((3, count), np.float32),
            depth=np.empty(count, np.float32),
        )
        found = (seen.pixels, seen.triangles, seen.weights, seen.depth)
        self._collect(edges, winner, top, left, camera.size_px[0], *found)
        return seen

    def _warmed(
        self, cache_dir: Path | None
    ) -> tuple[Callable[..., None], Callable[..., None]]:
        """Return loops that have drawn; reading damaged machine code fails here."""
        self._draw, self._collect = loops = _loops(cache_dir)
        triangle = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1]], np.float32)
        self(triangle, np.array([[0, 1, 2]]), Camera(1.0, (0.0, 0.0), (1, 1)))
        return loops


def _window(
    places: Float64, depth: Float64, camera: Camera
) -> tuple[int, int, int, int]:
    """Return the first row and column and the size of what a mesh may cover.

    Args:
        places: Pixel coordinates of the points in front of the camera, (2, V).
        depth: Of all points, (V,).
        camera: The picture's.
    """
    width, height = camera.size_px
    if not len(depth) or not depth.min() >= NEAR_M:
        return 0, 0, height, width
    first = np.clip(np.floor(places.min(axis=1)) - 1, 0, (width, height))
    last = np.clip(np.ceil(places.max(axis=1)) + 1, first, (width, height))
    (left, top), (right, bottom) = first.astype(int), last.astype(int)
    return int(top), int(left), int(bottom - top), int(right - left)
