"""A take as curves over time, which can be interpolated and filtered."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.rest_offsets import posed, unposed
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.take import WORLD_FROM_CAMERA, Take
from pixie_runtime.types import PARTS, Float64

_PELVIS = slice(0, 3)
_OFFSETS = slice(3, 3 + 3 * JOINT_COUNT)
_CONFIDENCES = slice(_OFFSETS.stop, _OFFSETS.stop + len(PARTS))

Rows = slice | npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """A take's motion at T moments: rotations, and numbers that are free to change."""

    rotations: rot.Array
    """(T, 55, 4): unit quaternions wxyz, the pelvis' in the world."""
    numbers: Float64
    """(T, n): the pelvis in the world, the skeleton's rest offsets, the confidences,
    the expression and the shape, one after the other."""

    @classmethod
    def of(cls, take: Take, rows: Rows = slice(None)) -> Self:
        """Return some of a take's rows as curves."""
        poses = take.poses[rows].astype(np.float64)
        wxyz = rot.from_rotvec(poses.reshape(len(poses), JOINT_COUNT, 3))
        joints = take.joints[rows].astype(np.float64) * WORLD_FROM_CAMERA
        offsets = unposed(wxyz, joints, take.trans[rows])
        numbers: list[npt.NDArray[Any]] = [
            joints[:, 0],
            offsets.reshape(len(poses), -1),
            take.confidences[rows],
            take.expression[rows],
            take.betas_per_frame[rows],
        ]
        return cls(wxyz, np.concatenate(numbers, axis=1, dtype=np.float64))

    @property
    def confidences(self) -> Float64:
        """(T, 4): a view."""
        return self.numbers[:, _CONFIDENCES]

    def take(self, like: Take, **changes: Any) -> Take:
        """Return a take with this motion, the joints posed anew.

        Args:
            like: A take with all else.
            changes: Fields that differ from its.
        """
        count, wxyz = len(self.numbers), self.rotations
        offsets = self.numbers[:, _OFFSETS].reshape(count, JOINT_COUNT, 3)
        trans = self.numbers[:, _PELVIS] - offsets[:, 0]
        joints = posed(wxyz, offsets, trans) * WORLD_FROM_CAMERA
        rest = self.numbers[:, _CONFIDENCES.stop :]
        n_expression = like.expression.shape[1]
        return replace(
            like,
            poses=rot.to_rotvec(wxyz).reshape(count, -1).astype(np.float32),
            trans=trans.astype(np.float32),
            joints=joints.astype(np.float32),
            confidences=self.confidences.astype(np.float32),
            expression=rest[:, :n_expression].astype(np.float32),
            betas_per_frame=rest[:, n_expression:].astype(np.float32),
            **changes,
        )


_PER_FRAME = ("poses", "trans", "joints", "confidences", "expression")


def joined(pieces: list[Take], **changes: Any) -> Take:
    """Return takes of one person, one after the other, as one.

    Args:
        pieces: At least one.
        changes: Fields to set, `timestamps_s` and `frames` if they are not joined.
    """
    names = (*_PER_FRAME, "betas_per_frame", "timestamps_s", "frames")
    fields: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in names
        if name not in changes
    }
    return replace(pieces[0], **fields, **changes)
