"""What is where on a body: skin, eyes, lips, brows, in the mean body's rest pose.

Computed from the model's own joints and face landmarks, so any body of SMPL-X's layout
has it. Fields are by vertex and interpolated between them.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32

Ints = npt.NDArray[np.int64]

SKIN, EYE, TEETH, TONGUE = range(4)
_FAR_M = 1.0
_HEAD = JOINT_INDEX["head"]


@dataclass(frozen=True, eq=False)
class SurfaceMap:
    """A body's surface; metres."""

    rest: Float32
    """The mean body's vertices, (V, 3)."""
    fields: Float32
    """(V, 5), in the order of the numbers below."""
    material: Ints
    """What every vertex is of: SKIN, EYE, TEETH or TONGUE, (V,)."""
    joints: Float32
    """The mean body's joints, (55, 3)."""
    brow_y: float
    """How high the brows are; the hairline is above."""

    @classmethod
    def of(cls, model: BodyModel) -> Self:
        """Look at a model.

        Raises:
            ModelFileError: it has no face landmarks.
        """
        faces, bary = model.lmk_faces_idx, model.lmk_bary_coords
        around, around_bary = model.dynamic_lmk_faces_idx, model.dynamic_lmk_bary_coords
        if faces is None or bary is None or around is None or around_bary is None:
            raise ModelFileError(
                f"the body model {model.name} has no face landmarks, which say where "
                "lips and brows are; use an unchanged SMPLX_NEUTRAL_2020.npz"
            )
        rest = model.v_template
        inner = _on_faces(rest, model.faces[faces], bary)
        jaw_line = _on_faces(rest, model.faces[around[0]], around_bary[0])
        material = _materials(model)
        fields = np.stack(
            [
                _inside(rest, inner[31:43]),
                -np.minimum(_gap(rest, inner[:5]), _gap(rest, inner[5:10])),
                -np.minimum(_gap(rest, inner[19:23]), _gap(rest, inner[25:29])),
                _inside(rest, _face_outline(inner, jaw_line)),
                _sideways_of_pupil(model),
            ],
            axis=1,
        )
        head = np.isin(model.part, (_HEAD, JAW)) & (material == SKIN)
        fields[~head, :4] = -_FAR_M
        brow_y = float(inner[:10, 1].mean())
        return cls(rest, fields.astype(np.float32), material, model.J_template, brow_y)


LIPS, BROWS, LASHES, FACE, PUPIL = range(5)
"""Fields: how far inside lips and face a vertex is, how near (negative) to brows and
upper lids, and how far aside of the gaze on an eyeball, in its radii."""


def _on_faces(
    vertices: Float32, corners: npt.NDArray[np.integer], bary: Float32
) -> Float32:
    return np.asarray((vertices[corners] * bary[..., None]).sum(-2), np.float32)


def _materials(model: BodyModel) -> Ints:
    """Tell eyes, teeth and tongue by their being islands of the mesh."""
    island = np.arange(model.vertex_count)
    while True:
        lowest = island[model.faces].min(axis=1)
        joined = island.copy()
        for corner in model.faces.T:
            np.minimum.at(joined, corner, lowest)
        joined = joined[joined]
        if np.array_equal(joined, island):
            break
        island = joined
    _, place, counts = np.unique(island, return_inverse=True, return_counts=True)
    material = np.full(model.vertex_count, SKIN)
    for number in np.flatnonzero(counts < counts.max()):
        own = place == number
        if np.isin(model.part[own], (LEFT_EYE, RIGHT_EYE)).all():
            material[own] = EYE
        elif np.isin(model.part[own], (_HEAD, JAW)).all():
            material[own] = TEETH if counts[number] < 150 else TONGUE
    return material


def _inside(rest: Float32, outline: Float32) -> Float32:
    """Return how far inside an outline vertices are, seen from the front."""
    flat = np.ascontiguousarray(outline[:, :2], np.float32)
    far = np.full(len(rest), -_FAR_M, np.float32)
    front = rest[:, 2] > outline[:, 2].min() - 0.02
    far[front] = [
        cv2.pointPolygonTest(flat, (float(x), float(y)), True)
        for x, y, _ in rest[front]
    ]
    return far


def _gap(rest: Float32, line: Float32) -> Float32:
    """Return the distance of vertices from a polyline (n, 3)."""
    nearest = np.full(len(rest), _FAR_M, np.float32)
    for a, b in pairwise(line):
        along = np.clip((rest - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        away = np.linalg.norm(rest - a - along[:, None] * (b - a), axis=1)
        nearest = np.minimum(nearest, away)
    return nearest


def _face_outline(inner: Float32, jaw_line: Float32) -> Float32:
    """Return jaw line and forehead as one outline, (n, 3)."""
    forehead = inner[:10].copy()
    rise = 0.25 * (inner[:10, 1].mean() - jaw_line[:, 1].min())
    forehead[:, 1] += rise * np.sin(np.linspace(0.35, np.pi - 0.35, 10))
    # The jaw line goes from the right ear to the left one, the brows likewise.
    return np.concatenate([jaw_line, forehead[::-1]])


def _sideways_of_pupil(model: BodyModel) -> Float32:
    ratio = np.full(model.vertex_count, _FAR_M, np.float32)
    for eye in (LEFT_EYE, RIGHT_EYE):
        own = np.flatnonzero(model.part == eye)
        if len(own):
            offset = model.v_template[own] - model.v_template[own].mean(0)
            radius = np.linalg.norm(offset, axis=1).max()
            sideways = np.linalg.norm(offset[:, :2], axis=1) / radius
            ratio[own] = np.where(offset[:, 2] > 0, sideways, _FAR_M)
    return ratio
