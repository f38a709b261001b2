"""iBUG's 68 face landmarks out of the 468 points of the face mesh.

The 51 inner ones are mesh points: those that the embedded body's own landmarks were
made of. The jaw line is where a viewer sees the face end. It is found as the key points
find it (`key_points.contour_row`): the head's yaw chooses a row of the body's table,
and each of its 17 places on the body's skin is said in the three mesh points around it.
"""

from functools import cache

import numpy as np
import torch

from pixie_runtime.body import embedded_body_model
from pixie_runtime.types import Float32
from pixie_train.faces.mesh import Indices, face_mesh, rest_points
from pixie_train.key_points import contour_row

# fmt: off
INNER: tuple[int, ...] = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)
"""The mesh's points at iBUG's 18th to 68th: brows, nose, eyes, lips, inner lips."""
_SKULL = (33, 133, 263, 362, 168, 6, 4, 10, 127, 356, 234, 454)
"""Points that neither jaw nor expression moves much: they tell the head's turn."""
# fmt: on


def landmarks68(mesh: Float32) -> Float32:
    """Return the landmarks (68, 2), jaw line first, in the mesh's pixels.

    Args:
        mesh: (468, 3) pixels; z in pixels too, smaller is nearer.
    """
    row = int(contour_row(torch.from_numpy(head_rotation(mesh))[None])[0])
    corners, weights = _contour()
    jaw_line = np.einsum("kc,kcd->kd", weights[row], mesh[corners[row], :2])
    return np.asarray(np.concatenate([jaw_line, mesh[list(INNER), :2]]), np.float32)


def head_rotation(mesh: Float32) -> Float32:
    """Return how the head is turned, (3, 3), from the body's axes to the picture's.

    The rotation that brings the resting head's points nearest to the mesh's, scaled
    and moved (Kabsch), by points of the skull. Axes of the picture: x right, y down, z
    away.
    """
    rest = rest_points()[list(_SKULL)].astype(np.float64)
    seen = mesh[list(_SKULL)].astype(np.float64)
    U, _, Vt = np.linalg.svd((seen - seen.mean(0)).T @ (rest - rest.mean(0)))
    signs = np.array([1, 1, np.sign(np.linalg.det(U @ Vt))])
    return np.asarray((U * signs) @ Vt, np.float32)


@cache
def _contour() -> tuple[Indices, Float32]:
    """Return the jaw line by yaw in mesh points: (79, 17, 3) and weights alike."""
    model = embedded_body_model()
    faces, bary = model.dynamic_lmk_faces_idx, model.dynamic_lmk_bary_coords
    if faces is None or bary is None:
        raise ValueError("the body does not say where the jaw line lies")
    places = np.einsum("ykb,ykbc->ykc", bary, model.v_template[model.faces[faces]])
    triangles = face_mesh().triangles
    corners, weights = _nearest(places.reshape(-1, 3), rest_points(), triangles)
    shape = (*places.shape[:2], 3)
    return corners.reshape(shape), weights.reshape(shape)


def _nearest(
    places: Float32, points: Float32, triangles: Indices
) -> tuple[Indices, Float32]:
    """Return the triangles' corners (n, 3) nearest to places (n, 3), and weights.

    The foot of a place outside of all triangles is on the rim of one: weights are
    clipped at 0, which is off by little where triangles are small.
    """
    a, b, c = (points[triangles[:, k]].astype(np.float64) for k in range(3))
    u, v = b - a, c - a
    to = places[:, None].astype(np.float64) - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    tu, tv = (to * u).sum(2), (to * v).sum(2)
    scale = uu * vv - uv * uv
    second, third = (vv * tu - uv * tv) / scale, (uu * tv - uv * tu) / scale
    weights = np.stack([1 - second - third, second, third], 2).clip(0)
    weights /= weights.sum(2, keepdims=True)
    feet = np.einsum("ntk,tkd->ntd", weights, points[triangles])
    best = np.linalg.norm(feet - places[:, None], axis=2).argmin(1)
    rows = np.arange(len(places))
    return triangles[best], np.asarray(weights[rows, best], np.float32)
