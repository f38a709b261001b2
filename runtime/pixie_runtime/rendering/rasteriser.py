"""A triangle rasteriser in numpy: which triangle does each pixel see?

Works in homogeneous coordinates (Olano and Greer 1997): the ray r of a pixel is a
combination of a triangle's corners with weights e_i . r, and hits the triangle where
none of the three is negative. Triangles that reach behind the camera need no clipping,
and 1 / depth is linear over the picture. A triangle becomes one span of pixels a row,
so the work grows with the pixels covered, not with bounding boxes, and the nearest wins
by a true depth test.

Arrays have their coordinates first, so that every sum runs along memory.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Camera, Float32, Float64

Ints = npt.NDArray[np.signedinteger[Any]]

NEAR_M = 0.01
"""Depth below which a point has no place in the picture."""
_NOTHING = np.iinfo(np.int64).max
SEAM_PX = 1e-3
"""Spans reach this much further, so that rounding opens no seam between triangles."""


@dataclass(frozen=True, slots=True, eq=False)
class VisibleSurface:
    """The pixels that a mesh covers, and what is seen in each of them."""

    pixels: Ints
    """Places in the picture's rows laid end to end, (n,), ascending."""
    triangles: Ints
    """The nearest triangle there, (n,), an index into the mesh's faces."""
    weights: Float32
    """Corner weights of the point that is seen, (3, n)."""
    depth: Float32
    """Metres along the optical axis, (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Triangles:
    """Front-facing triangles, each with a pixel of its own as origin."""

    index: Ints
    """Into the mesh's faces, (m,)."""
    top: Ints
    """First row, (m,)."""
    height: Ints
    """Number of rows, (m,)."""
    left: Ints
    """Column of the origin, (m,)."""
    edges: Float64
    """e_i, (3, 3, m): corner, coefficient of (x, y, 1) from the origin's centre."""


@dataclass(frozen=True, slots=True, eq=False)
class _Spans:
    """Runs of pixels in one row that one triangle covers, each array (s,)."""

    triangle: Ints
    row: Ints
    first: Ints
    """Leftmost column."""
    length: Ints


def rasterise(vertices: Float32, faces: Ints, camera: Camera) -> VisibleSurface:
    """Find the nearest front-facing triangle at every pixel centre.

    Args:
        vertices: (V, 3), metres, camera frame.
        faces: (F, 3), counter-clockwise from outside.
        camera: Where the picture is taken from.
    """
    width, height = camera.size_px
    corners = homogeneous(vertices, camera)[:, faces.T]
    triangles = _front_facing(corners, height)
    spans = _spans(triangles, width)
    rows, columns, winner = _resolve(spans, triangles)
    weights = _corner_weights(triangles, rows, columns, winner)
    inverse_depth = weights[0] + weights[1] + weights[2]
    weights /= inverse_depth
    return VisibleSurface(
        rows * width + columns, triangles.index[winner], weights, 1 / inverse_depth
    )


def homogeneous(vertices: Float32, camera: Camera) -> Float64:
    """Return pixel coordinates times depth, and depth: (3, V)."""
    x, y, depth = vertices.T.astype(np.float64)
    cx, cy = camera.centre_px
    return np.stack(
        [x * camera.focal_px + depth * cx, y * camera.focal_px + depth * cy, depth]
    )


def _front_facing(corners: Float64, picture_height: int) -> _Triangles:
    """Choose the triangles that face the camera and may touch the picture's rows.

    Args:
        corners: (3, 3, F): coordinate, corner, triangle.
        picture_height: Rows of the picture.
    """
    a, b, c = corners.swapaxes(0, 1)
    facing = np.flatnonzero(_dot(a, _cross(b, c)) < 0)
    corners = corners[:, :, facing]
    top, bottom, left = _extent(corners, picture_height)
    inside = np.flatnonzero(bottom >= top)
    top, bottom, left = top[inside], bottom[inside], left[inside]
    a, b, c = corners[:, :, inside].swapaxes(0, 1)
    edges = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)])
    edges /= _dot(a, edges[0])
    edges[:, 2] += edges[:, 0] * (left + 0.5) + edges[:, 1] * (top + 0.5)
    return _Triangles(facing[inside], top, bottom - top + 1, left, edges)


def _dot(a: Float64, b: Float64) -> Float64:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _cross(a: Float64, b: Float64) -> Float64:
    return np.stack(
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    )


def _extent(corners: Float64, height: int) -> tuple[Ints, Ints, Ints]:
    """Return each triangle's first row, last row (before the first: none) and left."""
    depth = corners[2]
    nearest = np.minimum(np.minimum(depth[0], depth[1]), depth[2])
    farthest = np.maximum(np.maximum(depth[0], depth[1]), depth[2])
    x, y = corners[:2] / np.maximum(depth, NEAR_M)
    top = np.ceil(np.clip(_least(y) - 0.5, 0, height))
    bottom = np.floor(np.clip(-_least(-y) - 0.5, -1, height - 1))
    left = np.clip(_least(x), 0, 1e5)
    # A corner behind the camera has no place in the picture: look at every row.
    unbounded = nearest < NEAR_M
    top[unbounded], bottom[unbounded], left[unbounded] = 0, height - 1, 0
    bottom[farthest < NEAR_M] = -1
    return top.astype(np.int64), bottom.astype(np.int64), left.astype(np.int64)


def _least(of_corners: Float64) -> Float64:
    return np.asarray(
        np.minimum(np.minimum(of_corners[0], of_corners[1]), of_corners[2])
    )


def _spans(triangles: _Triangles, width: int) -> _Spans:
    """Cut triangles into rows, and each row where the edge functions change sign."""
    triangle, offset = _expanded(triangles.height)
    x_slope, y_slope, constant = triangles.edges.swapaxes(0, 1)
    # An edge along the rows crosses them nowhere: let it do so very far away.
    x_slope = np.where(x_slope == 0, 1e-12, x_slope)
    at_top, a_row = -constant / x_slope, -y_slope / x_slope
    opens = x_slope > 0
    far = np.float64(1e9)
    lefts = np.where(opens, at_top, -far), np.where(opens, a_row, 0)
    rights = np.where(opens, far, at_top), np.where(opens, 0, a_row)
    left = -_least_crossing(-lefts[0], -lefts[1], triangle, offset)
    right = _least_crossing(*rights, triangle, offset)
    origin = triangles.left[triangle]
    first = np.ceil(left - SEAM_PX).clip(-far, far).astype(np.int64) + origin
    last = np.floor(right + SEAM_PX).clip(-far, far).astype(np.int64) + origin
    first, last = np.maximum(first, 0), np.minimum(last, width - 1)
    kept = np.flatnonzero(last >= first)
    triangle, first = triangle[kept], first[kept]
    row = triangles.top[triangle] + offset[kept]
    return _Spans(triangle, row, first, last[kept] - first + 1)


def _least_crossing(
    at_top: Float64, a_row: Float64, triangle: Ints, offset: Ints
) -> Float32:
    """Return the least of three lines' columns in each triangle's rows."""
    row = offset.astype(np.float32)
    lines = zip(at_top.astype(np.float32), a_row.astype(np.float32), strict=True)
    a, b, c = (start[triangle] + step[triangle] * row for start, step in lines)
    return np.asarray(np.minimum(np.minimum(a, b), c))


def _expanded(counts: Ints) -> tuple[Ints, Ints]:
    """Return, for runs of these lengths, each element's run and its place in it."""
    run = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return run, np.arange(len(run)) - starts[run]


def _resolve(spans: _Spans, triangles: _Triangles) -> tuple[Ints, Ints, Ints]:
    """Return row, column and nearest triangle of every covered pixel, each (n,)."""
    if not len(spans.row):
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    x_slope, y_slope, constant = triangles.edges[0] + (
        triangles.edges[1] + triangles.edges[2]
    )
    of = spans.triangle
    start = constant[of] + x_slope[of] * (spans.first - triangles.left[of])
    start += y_slope[of] * (spans.row - triangles.top[of])
    top, left = spans.row.min(), spans.first.min()
    width = (spans.first + spans.length).max() - left
    nearest = np.full((spans.row.max() - top + 1) * width, _NOTHING)
    place = (spans.row - top) * width + spans.first - left
    span, offset = _expanded(spans.length)
    inverse_depth = start.astype(np.float32)[span]
    inverse_depth += x_slope[of].astype(np.float32)[span] * offset
    # Positive floats sort as their bits do; the nearest has the smallest key.
    bits = np.maximum(inverse_depth, 0).astype(np.float32).view(np.int32)
    key = (0x7FFFFFFF - bits).astype(np.int64) << 32 | of[span]
    np.minimum.at(nearest, place[span] + offset, key)
    covered = np.flatnonzero(nearest != _NOTHING)
    winner = nearest[covered] & 0xFFFFFFFF
    return covered // width + top, covered % width + left, winner


def _corner_weights(
    triangles: _Triangles, rows: Ints, columns: Ints, winner: Ints
) -> Float32:
    """Return each corner's weight over depth at the given pixels, (3, n)."""
    x = (columns - triangles.left[winner]).astype(np.float32)
    y = (rows - triangles.top[winner]).astype(np.float32)
    edges = triangles.edges.astype(np.float32)
    weights = np.empty((3, len(rows)), np.float32)
    for i, (x_slope, y_slope, constant) in enumerate(edges):
        weights[i] = x_slope[winner] * x + y_slope[winner] * y + constant[winner]
    # Rounding may leave a pixel on an edge a hair outside its triangle.
    return np.maximum(weights, 1e-9)
