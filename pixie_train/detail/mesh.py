"""A head or a whole body whose face is finer, and stands off by its detail."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32
from pixie_train.detail.subdivision import Subdivision
from pixie_train.detail.surface import DetailSurface
from pixie_train.rendering.normals import vertex_normals
from pixie_train.rendering.texture import sampled

Region = Literal["body", "head"]
Ints = npt.NDArray[np.int64]

_HEAD_PARTS = (JOINT_INDEX["neck"], JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE)


@dataclass(frozen=True, eq=False)
class DetailedMesh:
    """Triangles with normals and, where the body has them, texture coordinates."""

    vertices: Float32
    """(N, 3), metres."""
    normals: Float32
    """Unit vectors, (N, 3)."""
    faces: Ints
    """(M, 3), counter-clockwise from outside."""
    uv: Float32 | None
    """Of the triangles' corners in the body's texture, (M, 3, 2), v upwards."""


def detailed_mesh(
    model: BodyModel,
    surface: DetailSurface,
    vertices: Float32,
    displacement: Tensor,
    *,
    steps: int = 4,
    region: Region = "body",
) -> DetailedMesh:
    """Put detail on a body.

    Args:
        model: the body.
        surface: its face's chart.
        vertices: the coarse body, (V, 3), metres, any right-handed frame.
        displacement: of its face, metres, (1, 1, H, H).
        steps: into how many pieces each edge on the face is cut.
        region: what is wanted of the body.

    Raises:
        UsageError: there is no such subdivision.
    """
    if not 1 <= steps <= 16:
        raise UsageError(f"steps is {steps}; expected 1 to 16")
    wanted = np.arange(len(model.faces))
    if region == "head":
        parts = np.isin(model.part, _HEAD_PARTS)
        wanted = np.flatnonzero(parts[model.faces].all(1))
    skin = surface.chart.triangles[surface.chart.skin]
    fine = np.flatnonzero(np.isin(wanted, skin))
    divided = Subdivision.of(model.faces[wanted], fine, steps)
    coarse = torch.from_numpy(np.array(vertices, np.float32))[None]
    all_faces = torch.from_numpy(model.faces.astype(np.int64))
    outwards = vertex_normals(coarse, all_faces)[0].numpy()
    points, normals = divided.mixed(vertices), divided.mixed(outwards)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)

    at, on_face = _in_chart(divided, surface, wanted)
    heights = _sampled(surface.heights(displacement), at)
    bent = _sampled(surface.normals(coarse, displacement), at)
    points[on_face] += heights[on_face] * normals[on_face]
    share = _sampled(surface.share, at)
    mixed = normals + share * (bent - normals)
    normals[on_face] = mixed[on_face]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    uv = None
    if model.vt is not None and model.ft is not None:
        corners = model.vt[model.ft[wanted]]
        uv = divided.of_corners(corners).astype(np.float32)
    return _without_unused(points, normals, divided.faces, uv)


def _in_chart(
    divided: Subdivision, surface: DetailSurface, wanted: Ints
) -> tuple[Tensor, npt.NDArray[np.bool_]]:
    """Return where new vertices are in the chart, (N, 2), and which are in it."""
    chart = surface.chart
    corners = np.zeros((wanted.max() + 1, 3, 2))
    skin = chart.triangles[chart.skin]
    inside = skin <= wanted.max()
    corners[skin[inside]] = chart.uv[chart.skin][inside]
    by_corner = divided.of_corners(corners[wanted])
    on = np.isin(wanted[divided.source], skin)
    at = np.zeros((len(divided.vertices), 2))
    at[divided.faces[on]] = by_corner[on]
    on_face = np.zeros(len(at), bool)
    on_face[divided.faces[on]] = True
    return torch.from_numpy(at.astype(np.float32)), on_face


def _sampled(maps: Tensor, at: Tensor) -> npt.NDArray[np.float64]:
    with torch.no_grad():
        values = sampled(maps, torch.zeros(len(at), dtype=torch.long), at)
    return np.asarray(values.numpy(), np.float64)


def _without_unused(
    points: npt.NDArray[np.float64],
    normals: npt.NDArray[np.float64],
    faces: Ints,
    uv: Float32 | None,
) -> DetailedMesh:
    used, place = np.unique(faces, return_inverse=True)
    return DetailedMesh(
        points[used].astype(np.float32),
        normals[used].astype(np.float32),
        place.reshape(-1, 3),
        uv,
    )
