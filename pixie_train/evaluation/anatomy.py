"""Which vertices and joints of a body model the benchmarks speak of.

The licensed model's downloads say which of its vertices are MANO's hands and FLAME's
head, and how 14 joints follow from vertices. Without them parts are the vertices whose
largest skinning weight is that of a hand's or the head's joints, and the 14 joints are
the skeleton's own: right for comparing networks on one body, not for comparing with
published figures.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_runtime.smplx import JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_runtime.types import Float32
from pixie_train.array_pickle import read_values
from pixie_train.body_model import SurfaceOutput
from pixie_train.evaluation.cases import Estimate
from pixie_train.key_points import (
    REGRESSED_JOINTS,
    RIGHT_HAND_POINTS,
    SurfaceKeyPoints,
)
from pixie_train.utilities import read_utilities

HANDS_FILE = "MANO_SMPLX_vertex_ids.pkl"
HEAD_FILE = "SMPL-X__FLAME_vertex_ids.npy"

Rows = npt.NDArray[np.int64]

_HEAD_JOINTS = [JOINT_INDEX[n] for n in ("head", "jaw")] + [23, 24]
# Wrist, then thumb, index, middle, ring, little finger from the palm to the tip; in
# SMPL-X's order of the 21 they are index, middle, pinky, ring, thumb, then the tips.
_FREIHAND = [0]
for _finger in (4, 0, 1, 3, 2):
    _FREIHAND += [1 + 3 * _finger + bone for bone in range(3)] + [16 + _finger]
HAND_POINTS = [RIGHT_HAND_POINTS[k] for k in _FREIHAND]
"""The key points that are FreiHAND's 21 of a right hand, in its order."""

# fmt: off
_VERTEX_JOINTS = (
    9120, 9929, 9448, 616, 6,                # nose, eyes, ears; right before left
    5770, 5780, 8846, 8463, 8474, 8635,      # big toe, small toe, heel; left, right
    5361, 4933, 5058, 5169, 5286,            # left thumb to little finger
    8079, 7669, 7794, 7905, 8022,            # right
)
# fmt: on
"""The vertices that the smplx package takes for joints, in its order."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Parts and points of one body model."""

    model: BodyModel
    left_hand: Rows
    right_hand: Rows
    face: Rows
    body: Rows
    """Everything else."""
    regressor: Float32
    """(14, V), or (0, V): the skeleton's own joints."""
    points: SurfaceKeyPoints
    notes: tuple[str, ...] = ()
    """What is not as the benchmarks have it, a sentence each."""

    @classmethod
    def of(cls, model: BodyModel, folder: Path | None = None) -> "Anatomy":
        """Read what there is in `folder` of the three files.

        Raises:
            ModelFileError: a file is damaged or made for another body.
        """
        tables, notes = read_utilities(folder, model)
        left = np.flatnonzero(np.isin(model.part, [20, *LEFT_HAND_JOINTS]))
        right = np.flatnonzero(np.isin(model.part, [21, *RIGHT_HAND_JOINTS]))
        face = np.flatnonzero(np.isin(model.part, _HEAD_JOINTS))
        hands_path = folder / HANDS_FILE if folder else None
        if hands_path is not None and hands_path.exists():
            left, right = _read_hands(hands_path, model)
        else:
            notes = (*notes, f"without {HANDS_FILE} hands are what moves with them")
        head_path = folder / HEAD_FILE if folder else None
        if head_path is not None and head_path.exists():
            face = _read_head(head_path, model)
        else:
            notes = (*notes, f"without {HEAD_FILE} the face is what moves with a head")
        others = np.concatenate([left, right, face])
        body = np.setdiff1d(np.arange(model.vertex_count), others)
        points = SurfaceKeyPoints(tables, np.arange(model.vertex_count))
        return cls(
            model, left, right, face, body, tables.regressor, points, tuple(notes)
        )

    @property
    def parts(self) -> dict[str, Rows]:
        """Vertices by the names that the paper's tables have."""
        return {
            "Body": self.body,
            "Left hand": self.left_hand,
            "Right hand": self.right_hand,
            "Face": self.face,
        }

    @property
    def agora_parts(self) -> dict[str, Rows]:
        """The same by the names that AGORA has."""
        return dict(zip(("B", "LH", "RH", "F"), self.parts.values(), strict=True))

    def joints14(self, vertices: Float32, joints: Float32) -> Float32:
        """Return the 14 joints of LSP (14, 3), out of a surface or its skeleton."""
        if len(self.regressor):
            return np.asarray(self.regressor @ vertices, np.float32)
        return joints[list(REGRESSED_JOINTS)]

    def key_points(self, estimate: Estimate) -> Float32:
        """Return the project's 145 key points, (145, 3)."""
        arrays = (estimate.vertices, estimate.joints, estimate.rotations)
        surface = SurfaceOutput(
            *(torch.from_numpy(np.ascontiguousarray(a))[None] for a in arrays)
        )
        return np.asarray(self.points(surface)[0].numpy(), np.float32)

    def right_hand_points(self, estimate: Estimate) -> Float32:
        """Return the right hand's 21 points in FreiHAND's order, (21, 3)."""
        return self.key_points(estimate)[HAND_POINTS]

    def inner_landmarks(self, vertices: Float32) -> Float32:
        """Return iBUG's 51 face landmarks on vertices (V, 3)."""
        idx, weights = self.model.lmk_faces_idx, self.model.lmk_bary_coords
        if idx is None or weights is None:
            raise ModelFileError(
                f"the body model {self.model.name} has no face landmarks; use an "
                "unchanged SMPLX_NEUTRAL_2020.npz"
            )
        corners = vertices[self.model.faces[idx]]
        return np.asarray((corners * weights[..., None]).sum(1), np.float32)

    def joints127(self, estimate: Estimate) -> Float32:
        """Return the smplx package's 127 joints: 55, 21 vertices, 51 landmarks."""
        at = estimate.vertices[list(_VERTEX_JOINTS)]
        face = self.inner_landmarks(estimate.vertices)
        return np.concatenate([estimate.joints, at, face])


def _read_hands(path: Path, model: BodyModel) -> tuple[Rows, Rows]:
    values = read_values(path)
    if not isinstance(values, dict) or not {"left_hand", "right_hand"} <= set(values):
        raise ModelFileError(
            f'{path} does not hold "left_hand" and "right_hand"; get a fresh copy from '
            "the downloads of SMPL-X"
        )
    left, right = (_rows(path, values[n], model) for n in ("left_hand", "right_hand"))
    return left, right


def _read_head(path: Path, model: BodyModel) -> Rows:
    try:
        return _rows(path, np.load(path, allow_pickle=False), model)
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{path} is not an array of vertex numbers ({error}); get a fresh copy "
            "from the downloads of SMPL-X"
        ) from error


def _rows(path: Path, values: object, model: BodyModel) -> Rows:
    rows = np.asarray(values)
    is_vertices = rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) > 0
    if not is_vertices or rows.min() < 0 or rows.max() >= model.vertex_count:
        raise ModelFileError(
            f"{path} names other vertices than those of the body model {model.name}, "
            f"which has {model.vertex_count}; use the files of one download"
        )
    return rows.astype(np.int64)
