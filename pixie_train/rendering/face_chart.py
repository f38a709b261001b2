"""The face laid flat: which triangles belong to it, and where they are in its maps.

A body file's own texture coordinates are one-to-one, but give a face a small part of a
picture of the whole body, in any direction. The chart cuts the face out of them, turns
it upright and stretches it over a square; the eyeballs, islands of their own, go to the
two lower corners, which the oval of a face leaves free. A file without texture
coordinates is unrolled from a cylinder around the head instead, where the outermost
surface hides what is inside mouth and nose.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_runtime.smplx import JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32
from pixie_train.data.pictures.surface_map import EYE, FACE, SKIN, SurfaceMap

Ints = npt.NDArray[np.integer[Any]]

MARGIN_M = 0.012
"""How far beyond the outline of jaw line and forehead the chart reaches."""
_BORDER = 0.01
"""Free space at the chart's edges, so that islands can grow by a texel or two."""
_EYE_SIDE = 0.12
_NOSE_TIP = 30 - 17
"""Among the 51 inner landmarks; its triangle says which island is the face."""


@dataclass(frozen=True, eq=False)
class FaceChart:
    """Triangles of a body's face in a unit square: u to the right, v down.

    The square shows the face as we see it, its right side on our left.
    """

    triangles: Ints
    """Numbers of the body's triangles, (F,), ascending."""
    uv: Float32
    """Of their corners, (F, 3, 2), in [0, 1]."""
    layer: Float32
    """Where triangles overlap the least wins, (F, 3); all 0 in one-to-one charts."""
    skin: npt.NDArray[np.bool_]
    """Which of them are of the skin and not of an eyeball, (F,)."""

    @classmethod
    def of(cls, model: BodyModel, *, margin_m: float = MARGIN_M) -> Self:
        """Lay a body's face flat.

        Args:
            model: the body.
            margin_m: how far the chart reaches beyond the face's outline.

        Raises:
            ModelFileError: it has no face landmarks, so nobody knows where its face is.
        """
        surface = SurfaceMap.of(model)
        material = surface.material[model.faces[:, 0]]
        near = (surface.fields[model.faces, FACE] > -margin_m).all(1)
        near &= material == SKIN
        flat, layer, islands = _unrolled(model, surface)
        assert model.lmk_faces_idx is not None  # SurfaceMap has refused that
        tip = model.lmk_faces_idx[_NOSE_TIP]
        face = near & (islands == islands[tip])
        if not face.any():
            raise ModelFileError(
                f"the body model {model.name} has no triangles between its face "
                "landmarks; use an unchanged SMPLX_NEUTRAL_2020.npz"
            )
        uv = np.zeros((len(model.faces), 3, 2))
        upright = _upright(flat[face], surface.rest[model.faces[face]])
        uv[face] = _fitted(flat[face] @ upright, (0, 0), 1.0)
        chosen = face.copy()
        # The person's right eye is on our left.
        for joint, left in ((RIGHT_EYE, 0.0), (LEFT_EYE, 1 - _EYE_SIDE)):
            own = model.part[model.faces] == joint
            eye = (material == EYE) & own.all(1)
            if eye.any():
                front = surface.rest[model.faces[eye], :2] * (1, -1)
                ahead = _looks_ahead(surface.rest[model.faces[eye]])
                eye[np.flatnonzero(eye)[~ahead]] = False
                uv[eye] = _fitted(front[ahead], (left, 1 - _EYE_SIDE), _EYE_SIDE)
                chosen |= eye
        numbers = np.flatnonzero(chosen)
        return cls(
            numbers,
            uv[numbers].astype(np.float32),
            layer[numbers].astype(np.float32),
            face[numbers],
        )


def _unrolled(
    model: BodyModel, surface: SurfaceMap
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Ints]:
    """Return all triangles' corners laid flat, (F, 3, 2), layers, and islands, (F,)."""
    if model.vt is not None and model.ft is not None:
        flat = model.vt[model.ft].astype(np.float64)
        return flat, np.zeros(model.ft.shape), _islands(model.ft, len(model.vt))
    axis = surface.joints[JOINT_INDEX["head"]]
    x, y, z = np.moveaxis(surface.rest[model.faces] - axis, -1, 0)
    # About the head's radius, so that both directions are in about the same unit.
    flat = np.stack([np.arctan2(x, z) * 0.08, y], -1)
    # What lies further out hides the mouth's and the nose's insides.
    return flat, -np.hypot(x, z), _islands(model.faces, model.vertex_count)


def _islands(triangles: Ints, count: int) -> Ints:
    """Return the lowest corner of the connected piece of each triangle, (F,)."""
    island = np.arange(count)
    while True:
        lowest = island[triangles].min(axis=1)
        joined = island.copy()
        for corner in triangles.T:
            np.minimum.at(joined, corner, lowest)
        joined = joined[joined]
        if np.array_equal(joined, island):
            return island[triangles[:, 0]]
        island = joined


def _upright(flat: npt.NDArray[Any], rest: Float32) -> npt.NDArray[Any]:
    """Return the quarter turn, mirrored if need be, (2, 2), that rights a flat face."""
    seen = rest[..., :2] * (1, -1)
    flat, seen = (a.reshape(-1, 2) - a.mean((0, 1)) for a in (flat, seen))
    turn = flat.T @ seen
    main = np.abs(turn).argmax(1)
    if main[0] == main[1]:
        main[1] = 1 - main[0]
    right = np.zeros((2, 2))
    for axis in range(2):
        right[axis, main[axis]] = np.sign(turn[axis, main[axis]])
    return right


def _looks_ahead(rest: Float32) -> npt.NDArray[np.bool_]:
    """Return which of an eyeball's triangles (F, 3, 3) face to the front."""
    a, b, c = rest.swapaxes(0, 1)
    return np.asarray(np.cross(b - a, c - a)[:, 2] > 0)


def _fitted(
    flat: npt.NDArray[Any], corner: tuple[float, float], side: float
) -> npt.NDArray[Any]:
    """Stretch flat places over the inside of a square, each direction by itself."""
    low, high = flat.min((0, 1)), flat.max((0, 1))
    share = (flat - low) / (high - low)
    return np.asarray(np.array(corner) + _BORDER + share * (side - 2 * _BORDER))
