"""MediaPipe's 468 face points as a surface: triangles, and rings of named points.

The rings are MediaPipe's own (its list of face mesh connections, Apache-2.0). The
triangles are ours: the points as they lie on the embedded body's head, unrolled around
the head's upright axis, are joined by Delaunay's rule.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.types import Float32

Indices = npt.NDArray[np.int64]

MESH_POINTS = 468
# fmt: off
OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
    377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
    109,
)
"""The mesh's rim: forehead, the person's left temple, chin, right temple."""
LEFT_EYE: tuple[int, ...] = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
)
RIGHT_EYE: tuple[int, ...] = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
)
OUTER_LIPS: tuple[int, ...] = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39,
    40, 185,
)
INNER_LIPS: tuple[int, ...] = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81,
    80, 191,
)
"""Where the lips end and the mouth begins: lower lip, then upper lip."""
# fmt: on
_AXIS_BEHIND_NOSE_M = 0.09


@dataclass(frozen=True, eq=False)
class FaceMesh:
    """The points as a surface."""

    triangles: Indices
    """(T, 3) numbers of points; eyes and mouth are closed by
    some of them."""
    in_eyes: npt.NDArray[np.bool_]
    """Which of them lie between the lids, (T,)."""


def rest_points(model: BodyModel | None = None) -> Float32:
    """Return where the points lie on a body's resting head, (468, 3), metres.

    Args:
        model: a body that says where they lie; the embedded one by default.
    """
    model = model or embedded_body_model()
    faces, weights = model.mediapipe468_faces_idx, model.mediapipe468_bary_coords
    if faces is None or weights is None:
        raise ValueError("the body does not say where the face mesh lies")
    corners = model.v_template[model.faces[faces]]
    return np.asarray(np.einsum("pk,pkc->pc", weights, corners), np.float32)


@cache
def face_mesh() -> FaceMesh:
    """Return the surface."""
    flat = _unrolled(rest_points())
    triangles = np.asarray(Delaunay(flat).simplices, np.int64)
    centres = flat[triangles].mean(1)
    triangles = triangles[_inside(centres, flat[list(OVAL)])]
    centres = flat[triangles].mean(1)
    eyes = [
        np.isin(triangles, ring).all(1) & _inside(centres, flat[list(ring)])
        for ring in (LEFT_EYE, RIGHT_EYE)
    ]
    return FaceMesh(triangles, eyes[0] | eyes[1])


def _unrolled(points: Float32) -> Float32:
    """Return (468, 2): angle about an upright axis in the head, and height; metres."""
    axis = points[:, 2].max() - _AXIS_BEHIND_NOSE_M
    angle = np.arctan2(points[:, 0], points[:, 2] - axis)
    return np.stack([angle * _AXIS_BEHIND_NOSE_M, points[:, 1]], 1).astype(np.float32)


def _inside(points: Float32, ring: Float32) -> npt.NDArray[np.bool_]:
    """Return whether points (n, 2) lie in the polygon `ring` (m, 2)."""
    polygon = np.asarray(ring, np.float32).reshape(-1, 1, 2)
    return np.array(
        [
            cv2.pointPolygonTest(polygon, (float(x), float(y)), False) > 0
            for x, y in points
        ]
    )
