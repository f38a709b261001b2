"""The 145 key points of the official release: joints, face landmarks, extra points.

    0..54     the 55 joints, 14 of them replaced by ones regressed from the surface
    55..105   51 face landmarks, iBUG's 68 without the jaw line
    106..122  17 points of the jaw line that the viewer sees
    123..144  22 extra points of the surface, `EXTRA_POINT_NAMES`

All of them are linear in the vertices once the head's yaw has chosen the jaw line
(spec: pixie-network, section 7).
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import (
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Float32
from pixie_train.body_model import SurfaceOutput, TorchSurface

Indices = npt.NDArray[np.int64]

# fmt: off
EXTRA_POINT_NAMES: tuple[str, ...] = (
    "head_top",
    "left_big_toe", "left_ear", "left_eye", "left_heel", "left_index", "left_middle",
    "left_pinky", "left_ring", "left_small_toe", "left_thumb",
    "nose",
    "right_big_toe", "right_ear", "right_eye", "right_heel", "right_index",
    "right_middle", "right_pinky", "right_ring", "right_small_toe", "right_thumb",
)
# fmt: on
"""The extra points in their order."""

REGRESSED_JOINTS: tuple[int, ...] = (8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15)
"""The joints that the rows of SMPLX_to_J14.pkl replace: right ankle, knee and hip, left
hip, knee and ankle, right wrist, elbow and shoulder, left shoulder, elbow and wrist,
neck, head."""

_STATIC_COUNT, _CONTOUR_COUNT = 51, 17
_FACE_START = JOINT_COUNT
_CONTOUR_START = _FACE_START + _STATIC_COUNT
_EXTRA_START = _CONTOUR_START + _CONTOUR_COUNT
KEY_POINT_COUNT = _EXTRA_START + len(EXTRA_POINT_NAMES)

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")


def _hand(side: str, joints: range) -> list[int]:
    tips = [
        _EXTRA_START + EXTRA_POINT_NAMES.index(f"{side}_{finger}")
        for finger in _FINGERS
    ]
    return [JOINT_INDEX[f"{side}_wrist"], *joints, *tips]


FACE_POINTS: list[int] = list(range(_FACE_START, _EXTRA_START))
"""The 68 face landmarks among the key points."""
LEFT_HAND_POINTS: list[int] = _hand("left", LEFT_HAND_JOINTS)
"""Wrist, 15 joints and 5 tips of the left hand among the key points."""
RIGHT_HAND_POINTS: list[int] = _hand("right", RIGHT_HAND_JOINTS)
"""The same of the right hand."""

Viewer = Literal["camera", "release"]
"""From where the jaw line is seen, `contour_row`."""

_LAST_YAW_DEGREES = 39
_LAST_CONTOUR_ROW = 78


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points that ride on the mesh, each by three vertices."""

    corners: Indices
    """Vertex numbers, (..., 3)."""
    weights: Float32
    """How much of each corner, (..., 3)."""

    @classmethod
    def on_faces(
        cls, model: BodyModel, faces: npt.NDArray[np.integer], bary_coords: Float32
    ) -> Self:
        """Take points by triangle numbers (...) and barycentrics (..., 3)."""
        return cls(
            model.faces[faces].astype(np.int64), np.asarray(bary_coords, np.float32)
        )

    @classmethod
    def at_vertices(cls, vertices: npt.ArrayLike) -> Self:
        """Take points that are vertices, given by their numbers (...)."""
        corners = np.repeat(np.asarray(vertices, np.int64)[..., None], 3, axis=-1)
        weights = np.zeros(corners.shape, np.float32)
        weights[..., 0] = 1
        return cls(corners, weights)


@dataclass(frozen=True, eq=False)
class KeyPointTables:
    """Where a body model's key points lie on its surface."""

    static: SurfacePoints
    """51 face landmarks."""
    contour: SurfacePoints
    """The jaw line by the head's yaw, (79, 17, 3)."""
    extra: SurfacePoints
    """22 points, in the order of `EXTRA_POINT_NAMES`."""
    regressor: Float32
    """(n, V): joints out of posed vertices; n is 14, or 0 without SMPLX_to_J14.pkl."""
    regressed_joints: Indices
    """The joints that these replace, (n,)."""

    def vertices(self) -> Indices:
        """Return the vertices that key points depend on, ascending."""
        corners = [p.corners.ravel() for p in (self.static, self.contour, self.extra)]
        return np.unique(
            np.concatenate([*corners, np.flatnonzero(self.regressor.any(axis=0))])
        )


class SurfaceKeyPoints(nn.Module):
    """Key points out of a posed surface."""

    def __init__(
        self, tables: KeyPointTables, vertices: Indices, *, viewer: Viewer = "camera"
    ) -> None:
        """Find the points on a surface.

        Args:
            tables: where the points lie.
            vertices: which vertices that surface consists of, ascending; at least
                `tables.vertices()`.
            viewer: who sees the jaw line; "release" for what the official network's
                crops were trained with.
        """
        super().__init__()
        self.viewer = viewer
        fixed = (tables.static, tables.extra)
        corners = np.concatenate([points.corners for points in fixed])
        self.regressed_count = len(tables.regressed_joints)
        constants = {
            "corners": np.searchsorted(vertices, corners),
            "weights": np.concatenate([points.weights for points in fixed]),
            "contour_corners": np.searchsorted(vertices, tables.contour.corners),
            "contour_weights": tables.contour.weights,
            "regressor": tables.regressor[:, vertices],
            "order": _order(tables.regressed_joints),
        }
        for name, array in constants.items():
            kind = np.int64 if array.dtype.kind == "i" else np.float32
            tensor = torch.from_numpy(np.array(array, kind))
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, surface: SurfaceOutput) -> Tensor:
        """Return the key points (B, 145, 3), metres, in the surface's frame."""
        vertices, weights = surface.vertices, self.get_buffer("weights")
        corners = vertices.index_select(1, self.get_buffer("corners").flatten())
        fixed = (corners.reshape(-1, *weights.shape, 3) * weights[..., None]).sum(2)
        head = surface.R_root_joint[:, JOINT_INDEX["head"]]
        row = contour_row(head, self.viewer)
        parts = [surface.joints, fixed, self._contour(vertices, row)]
        if self.regressed_count:
            parts.append(self.get_buffer("regressor") @ vertices)
        return torch.cat(parts, dim=1).index_select(1, self.get_buffer("order"))

    def _contour(self, vertices: Tensor, row: Tensor) -> Tensor:
        """Return the jaw line (B, 17, 3) of the table's rows (B,)."""
        corners = self.get_buffer("contour_corners").index_select(0, row).flatten(1)
        places = corners[..., None].expand(-1, -1, 3)
        weights = self.get_buffer("contour_weights").index_select(0, row)[..., None]
        at_corners = vertices.gather(1, places).reshape(-1, _CONTOUR_COUNT, 3, 3)
        points: Tensor = (at_corners * weights).sum(2)
        return points


class KeyPoints(nn.Module):
    """Key points out of parameters; poses only the vertices that they depend on."""

    def __init__(
        self,
        model: BodyModel,
        tables: KeyPointTables,
        *,
        n_betas: int,
        n_expression: int,
        viewer: Viewer = "camera",
    ) -> None:
        """Take the first coefficients of `model`; see `SurfaceKeyPoints` for `viewer`.

        Raises:
            ModelFileError: the model has fewer coefficients.
        """
        super().__init__()
        vertices = tables.vertices()
        self.surface = TorchSurface(
            model,
            n_betas=n_betas,
            n_expression=n_expression,
            vertices=vertices.tolist(),
        )
        self.points = SurfaceKeyPoints(tables, vertices, viewer=viewer)

    def forward(self, betas: Tensor, expression: Tensor, R: Tensor) -> Tensor:
        """Return the key points (B, 145, 3), metres, about the rest pelvis.

        Args:
            betas: (B, n_betas).
            expression: (B, n_expression).
            R: (B, 55, 3, 3); row 0 absolute, the others relative to the parent.
        """
        points: Tensor = self.points(self.surface(betas, expression, R))
        return points


def face68(points: Tensor) -> Tensor:
    """Return iBUG's 68 face landmarks (B, 68, ...), jaw line first, of key points."""
    jaw_line = points[:, _CONTOUR_START:_EXTRA_START]
    return torch.cat([jaw_line, points[:, _FACE_START:_CONTOUR_START]], dim=1)


def contour_row(R_head: Tensor, viewer: Viewer = "camera") -> Tensor:
    """Return the rows (B,) of the jaw line's table for heads turned by R_head.

    Rows 0 to 39 are yaws to the head's own right by the degree, as the viewer sees it,
    40 to 78 are 1 to 39 degrees to its left; halves are rounded to even. On the side
    that turns away a row's points lie where the face ends for that viewer.

    In camera axes z points away from the viewer ("camera"). The release applies a rule
    that was written for a viewer at +z all the same ("release"; spec: pixie-network,
    section 7), and so takes the row of a head that is turned as far the other way. Its
    graphs do so too, for the same numbers; what is trained here does not.

    Args:
        R_head: accumulated rotations of the head, (B, 3, 3).
        viewer: where it is looked from.
    """
    R = R_head.detach()
    level = (R[:, 0, 0].square() + R[:, 1, 0].square()).sqrt()
    to_viewer = R[:, 2, 0] if viewer == "release" else -R[:, 2, 0]
    yaw = torch.rad2deg(torch.atan2(to_viewer, level))
    degrees = yaw.clamp(-_LAST_YAW_DEGREES, _LAST_YAW_DEGREES).round().long()
    row = torch.where(degrees < 0, _LAST_YAW_DEGREES - degrees, degrees)
    # A rotation that is not a number has any row, but one inside the table.
    return row.clamp(0, _LAST_CONTOUR_ROW)


def _order(regressed_joints: Indices) -> Indices:
    """Return where each key point is in [joints, static, extra, contour, regressed]."""
    extra_count = len(EXTRA_POINT_NAMES)
    static = JOINT_COUNT + np.arange(_STATIC_COUNT)
    extra = static[-1] + 1 + np.arange(extra_count)
    contour = extra[-1] + 1 + np.arange(_CONTOUR_COUNT)
    joints = np.arange(JOINT_COUNT)
    joints[regressed_joints] = contour[-1] + 1 + np.arange(len(regressed_joints))
    return np.concatenate([joints, static, contour, extra])
