"""What of a person a picture shows."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering.rasteriser import VisibleSurface, rasterise
from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_EYE,
    LEFT_HAND_JOINTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Camera, Float32
from pixie_train.data.pictures.sample import PART_POINTS, Bools
from pixie_train.key_points import KEY_POINT_COUNT

_PART_JOINTS = (
    (JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE),
    (JOINT_INDEX["left_wrist"], *LEFT_HAND_JOINTS),
    (JOINT_INDEX["right_wrist"], *RIGHT_HAND_JOINTS),
)
_LIMBS_INSIDE = range(22)


def _depths() -> Float32:
    """Return how deep under the skin key points are at most, (145,), metres."""
    deep = np.full(KEY_POINT_COUNT, 0.03, np.float32)
    deep[_LIMBS_INSIDE] = 0.1
    deep[: JOINT_INDEX["left_knee"]] = 0.17
    deep[[JOINT_INDEX[n] for n in ("spine2", "spine3", "head", "neck")]] = 0.17
    deep[[JAW, LEFT_EYE, RIGHT_EYE]] = 0.09
    for hand in PART_POINTS[1:]:
        deep[hand[1:]] = 0.03
    return deep


_DEEP_M = _depths()


@dataclass(frozen=True, eq=False)
class PartsAlone:
    """How much of a picture each part would cover if nothing else were there."""

    owner: npt.NDArray[np.intp]
    """The part that each triangle is of, (F,); 3: of none."""
    pixels: tuple[int, ...]
    """Of head, left hand, right hand."""
    inside: tuple[float, ...]
    """How much of them, by vertices, is inside the picture."""

    def share_hidden(self, triangles: npt.NDArray[np.integer]) -> Float32:
        """Return how much of the parts cannot be seen, (3,).

        Of the pixels that a part alone would cover, those covered by anything else;
        what lies outside the picture is hidden.

        Args:
            triangles: what is seen of the person, one a pixel, (n,).
        """
        seen = np.bincount(self.owner[triangles], minlength=len(_PART_JOINTS) + 1)
        hidden = [
            1 - inside * min(count / pixels, 1.0) if pixels else 1.0
            for count, pixels, inside in zip(
                seen, self.pixels, self.inside, strict=False
            )
        ]
        return np.array(hidden, np.float32)


@dataclass(frozen=True, eq=False)
class PartTriangles:
    """The triangles of head, left hand and right hand."""

    owner: npt.NDArray[np.intp]
    """As in `PartsAlone`."""
    faces: npt.NDArray[np.integer]
    """All triangles, (F, 3)."""

    @classmethod
    def of(cls, model: BodyModel) -> Self:
        """Look at which joint moves each triangle."""
        moved_by = model.part[model.faces[:, 0]]
        owner = np.full(len(model.faces), len(_PART_JOINTS))
        for part, joints in enumerate(_PART_JOINTS):
            owner[np.isin(moved_by, joints)] = part
        return cls(owner, model.faces)

    def alone(self, vertices: Float32, camera: Camera) -> PartsAlone:
        """Draw each part alone: of a person's vertices (V, 3), camera axes."""
        flat = camera.project(vertices)
        within = np.all((flat >= 0) & (flat < camera.size_px), axis=1)
        corners = [self.faces[self.owner == p] for p in range(len(_PART_JOINTS))]
        pixels = [len(rasterise(vertices, own, camera).pixels) for own in corners]
        inside = [float(within[own].mean()) for own in corners]
        return PartsAlone(self.owner, tuple(pixels), tuple(inside))


def points_seen(points: Float32, camera: Camera, drawn: VisibleSurface) -> Bools:
    """Return which key points (145, 3) are in the picture and not behind the body.

    A point is hidden where the surface is nearer by more than what may lie between a
    joint and the skin above it.
    """
    width, height = camera.size_px
    nearest = np.full(width * height, np.inf, np.float32)
    nearest[drawn.pixels] = drawn.depth
    column, row = np.floor(camera.project(points)).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    place = row.clip(0, height - 1) * width + column.clip(0, width - 1)
    return np.asarray(inside & (points[:, 2] < nearest[place] + _DEEP_M))
