"""Face landmarks on the mesh: MediaPipe's 468, the 51 inner ones, and the contour.

The 468 come from MediaPipe Face Mesh run on drawings of the baked head; its answers are
kept in face_landmarks.npz (made by detect_landmarks.py) so that a bake needs no
MediaPipe and gives the same file every time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from tools.bake_body import raster
from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import MIRROR_X, matrix_of

DETECTIONS = Path(__file__).with_name("face_landmarks.npz")
YAWS_DEG = (0.0, -8.0, 8.0)
PICTURE_PX = 900
EXTENT_M = 0.36
CONTOUR_ANGLES = 79
"""smplx's rows: 0..39 for a head turned by 0..39 degrees, 40..78 for -1..-39."""

# fmt: off
INNER_51 = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)
CONTOUR_17 = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
)
# fmt: on
"""MediaPipe's numbers of the 68-point scheme: brows, nose, eyes, lips; the jawline."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Points on a mesh: faces (...) and barycentric coordinates (..., 3)."""

    faces: Int
    bary: Float

    def at(self, vertices: Float, triangles: Int) -> Float:
        """Return the points (..., 3)."""
        corners = vertices[triangles[self.faces]]
        return np.asarray(np.einsum("...k,...kc->...c", self.bary, corners))


def head_view(head_joint: Float, yaw_deg: float) -> raster.View:
    """Return the view of the head that the detections belong to."""
    centre = np.array([0.0, head_joint[1] + 0.03, 0.07])
    size = (PICTURE_PX, PICTURE_PX)
    return raster.View(centre, EXTENT_M, size, yaw_deg=yaw_deg)


def embed_detections(
    vertices: Float, triangles: Int, skin: Int, head_joint: Float, detections: Float
) -> Embedding:
    """Lay the detected pixels (Y, 468, 2) of the views YAWS_DEG on the skin.

    `skin` holds the faces that landmarks may lie on. Both halves are averaged.
    """
    seen = np.stack(
        [
            _lift(vertices, triangles, head_view(head_joint, yaw), pixels)
            for yaw, pixels in zip(YAWS_DEG, detections, strict=True)
        ]
    )
    points = np.median(seen, 0)
    twin = mirror_pairs(detections)
    points = 0.5 * (points + points[twin] * MIRROR_X)
    return nearest_on_mesh(vertices, triangles, skin, points)


def mirror_pairs(detections: Float) -> Int:
    """Return for each of the 468 points the one on the other half, (468,).

    The best one-to-one match of the pictures with their mirror images: a view from one
    side looks like the mirrored view from the other.
    """
    width = np.array([PICTURE_PX, 0.0])
    reflected = np.abs(width - detections)[[YAWS_DEG.index(-yaw) for yaw in YAWS_DEG]]
    here = detections.transpose(1, 0, 2).reshape(len(detections[0]), -1)
    there = reflected.transpose(1, 0, 2).reshape(len(here), -1)
    cost = ((here[:, None] - there[None]) ** 2).sum(2)
    twin = np.asarray(linear_sum_assignment(cost + cost.T)[1])
    if (twin[twin] != np.arange(len(twin))).any():
        raise SystemExit("the detected face is too lopsided to pair its two halves")
    return twin


def _lift(vertices: Float, triangles: Int, view: raster.View, pixels: Float) -> Float:
    """Return the points (N, 3) of the mesh that are seen at pixels (N, 2)."""
    face, bary = raster.rasterise(view.pixels(vertices), triangles, view.size)
    ys, xs = np.nonzero(face >= 0)
    nearest = cKDTree(np.stack([xs, ys], 1) + 0.5).query(pixels)[1]
    y, x = ys[nearest], xs[nearest]
    return Embedding(face[y, x], bary[y, x]).at(vertices, triangles)


def nearest_on_mesh(
    vertices: Float, triangles: Int, allowed: Int, points: Float
) -> Embedding:
    """Return the nearest points on the `allowed` faces."""
    corners = vertices[triangles[allowed]]
    near = cKDTree(corners.mean(1)).query(points, k=24)[1]
    bary = _closest(corners[near], points[:, None])
    found = np.einsum("nkb,nkbc->nkc", bary, corners[near])
    best = np.linalg.norm(found - points[:, None], axis=2).argmin(1)
    rows = np.arange(len(points))
    return Embedding(allowed[near[rows, best]], bary[rows, best])


def _closest(corners: Float, point: Float) -> Float:
    """Return barycentric coordinates (..., 3) of the closest points of triangles."""
    a = corners[..., 0, :]
    edges = corners[..., 1:, :] - a[..., None, :]
    gram = edges @ np.swapaxes(edges, -1, -2) + 1e-18 * np.eye(2)
    solved = np.linalg.solve(gram, edges @ (point - a)[..., None])[..., 0]
    inner = np.concatenate([1 - solved.sum(-1, keepdims=True), solved], -1)
    options = [inner]
    for k in range(3):
        start, end = corners[..., k, :], corners[..., (k + 1) % 3, :]
        edge = end - start
        length = (edge * edge).sum(-1) + 1e-18
        t = np.clip((edge * (point - start)).sum(-1) / length, 0, 1)
        bary = np.zeros(inner.shape)
        bary[..., k], bary[..., (k + 1) % 3] = 1 - t, t
        options.append(bary)
    stacked = np.stack(options)
    away = np.einsum("o...b,...bc->o...c", stacked, corners) - point
    distance = np.linalg.norm(away, axis=-1)
    distance[0] = np.where((inner >= 0).all(-1), distance[0], np.inf)
    best = distance.argmin(0)
    return np.asarray(np.take_along_axis(stacked, best[None, ..., None], 0)[0])


def contour(
    vertices: Float, triangles: Int, skin: Int, front_z: float, rest: Embedding
) -> Embedding:
    """Return the jawline's 17 points for each of 79 head angles, (79, 17).

    The far half of a turned face is bounded by its silhouette: there a point moves to
    the outermost skin at its own height, not farther back than `front_z`.
    """
    faces, bary = _spread_points(vertices, triangles, skin, count=60_000)
    surface = Embedding(faces, bary).at(vertices, triangles)
    front = surface[:, 2] > front_z
    faces, bary, surface = faces[front], bary[front], surface[front]
    heights = rest.at(vertices, triangles)[:, 1]
    out = Embedding(
        np.tile(rest.faces, (CONTOUR_ANGLES, 1)),
        np.tile(rest.bary, (CONTOUR_ANGLES, 1, 1)),
    )
    for row in range(CONTOUR_ANGLES):
        yaw = float(np.radians(row if row <= 39 else 39 - row))
        across = surface @ matrix_of([0.0, -yaw, 0.0])[0]
        for k, height in enumerate(heights):
            side = -1.0 if k < 8 else 1.0
            level = np.flatnonzero(np.abs(surface[:, 1] - height) < 0.003)
            if k == 8 or side * yaw >= 0 or not len(level):
                continue
            outermost = level[np.argmax(side * across[level])]
            out.faces[row, k], out.bary[row, k] = faces[outermost], bary[outermost]
    return out


def _spread_points(
    vertices: Float, triangles: Int, faces: Int, *, count: int
) -> tuple[Int, Float]:
    """Draw points evenly over the given faces."""
    rng = np.random.default_rng(0)
    a, b, c = (vertices[triangles[faces, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    drawn = rng.choice(faces, count, p=area / area.sum())
    r = rng.random((count, 2))
    r = np.where(r.sum(1, keepdims=True) > 1, 1 - r, r)
    return drawn, np.column_stack([1 - r.sum(1), r])
