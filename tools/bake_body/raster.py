"""A small orthographic rasteriser in numpy, for landmarks and for pictures."""

from dataclasses import dataclass

import numpy as np

from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import matrix_of

_CHUNK = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An orthographic camera that looks along -z after turning the world."""

    centre: Float
    """(3,) metres: the point in the middle of the picture."""
    extent: float
    """Metres from the picture's top to its bottom."""
    size: tuple[int, int]
    """Width and height in pixels."""
    yaw_deg: float = 0.0
    """The world turns about y: positive shows the body's right cheek less."""
    pitch_deg: float = 0.0
    """Then about x: positive shows the body from above."""

    def turn(self, points: Float) -> Float:
        """Turn points (N, 3) into view axes: x right, y up, z towards the viewer."""
        R = matrix_of([np.radians(self.pitch_deg), 0.0, 0.0])
        R = R @ matrix_of([0.0, np.radians(self.yaw_deg), 0.0])
        return np.asarray((points - self.centre) @ R.T)

    def pixels(self, points: Float) -> Float:
        """Return pixel coordinates x right, y down, and depth, (N, 3)."""
        width, height = self.size
        scale = height / self.extent
        p = self.turn(points) * scale
        return np.stack([width / 2 + p[:, 0], height / 2 - p[:, 1], -p[:, 2]], 1)


def rasterise(pixels: Float, faces: Int, size: tuple[int, int]) -> tuple[Int, Float]:
    """Return the nearest face of each pixel (H, W), -1 where none, and where on it.

    `pixels` (V, 3) are x, y and depth; the second result holds barycentric coordinates
    (H, W, 3).
    """
    width, height = size
    best = np.full(width * height, np.inf)
    face_at = np.full(width * height, -1)
    bary_at = np.zeros((width * height, 3))
    corners = pixels[faces]
    low = np.floor(corners[..., :2].min(1)).astype(np.int64).clip(0, None)
    high = np.ceil(corners[..., :2].max(1)).astype(np.int64) + 1
    span = (np.minimum(high, [width, height]) - low).clip(0, None)
    area = span.prod(1)
    ends = np.cumsum(area)
    start = 0
    while start < len(faces):
        base = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, base + _CHUNK)), start + 1)
        rows = np.arange(start, min(stop, len(faces)))
        face = np.repeat(rows, area[rows])
        k = np.arange(len(face)) - np.repeat(ends[rows] - area[rows] - base, area[rows])
        x = low[face, 0] + k % np.maximum(span[face, 0], 1)
        y = low[face, 1] + k // np.maximum(span[face, 0], 1)
        bary = _barycentric(corners[face], x + 0.5, y + 0.5)
        inside = (bary >= -1e-9).all(1)
        face, x, y, bary = face[inside], x[inside], y[inside], bary[inside]
        depth = (bary * corners[face][..., 2]).sum(1)
        at = y * width + x
        order = np.lexsort((depth, at))
        at, first = np.unique(at[order], return_index=True)
        chosen = order[first]
        nearer = depth[chosen] < best[at]
        at, chosen = at[nearer], chosen[nearer]
        best[at], face_at[at], bary_at[at] = depth[chosen], face[chosen], bary[chosen]
        start = stop
    return face_at.reshape(height, width), bary_at.reshape(height, width, 3)


def _barycentric(corners: Float, x: Float, y: Float) -> Float:
    a, b, c = (corners[:, k, :2] for k in range(3))
    area = _cross(b - a, c - a)
    p = np.stack([x, y], 1)
    area = np.where(np.abs(area) < 1e-12, np.inf, area)
    wb = _cross(p - a, c - a) / area
    wc = _cross(b - a, p - a) / area
    outside = np.isinf(area)
    bary = np.stack([1 - wb - wc, wb, wc], 1)
    bary[outside] = -1.0
    return bary


def _cross(u: Float, v: Float) -> Float:
    return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
