"""Records suited to the body model that is trained for.

Some of what data sets say holds of SMPL-X's own model alone (`record.Fit`). If that is
what is trained for, coefficients are taken over, fingers that are counted from its mean
hands are known, and the fit is posed for its key points in space; on another body
nothing of this is known. Where the skeleton's joints are no key points depends on the
body, too.
"""

from copy import deepcopy
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Float32
from pixie_train.data.body_layouts import joined, turns_of
from pixie_train.data.record import Fit, Points, Record, Records, Turns
from pixie_train.key_points import (
    FACE_POINTS,
    KEY_POINT_COUNT,
    LEFT_HAND_POINTS,
    REGRESSED_JOINTS,
    RIGHT_HAND_POINTS,
    KeyPoints,
)
from pixie_train.smplx_space import is_smplx

_BODY = list(range(22))
_FINGERS = [*LEFT_HAND_JOINTS, *RIGHT_HAND_JOINTS]
_MOVED_BY = (
    (FACE_POINTS, [JAW]),
    (LEFT_HAND_POINTS[1:], list(LEFT_HAND_JOINTS)),
    (RIGHT_HAND_POINTS[1:], list(RIGHT_HAND_JOINTS)),
)
"""Key points and what moves them beside the body's joints."""
_WRISTS = {JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]}
_REGRESSED = [joint for joint in REGRESSED_JOINTS if joint not in _WRISTS]
"""What a regressor moves off the skeleton. Its wrists are kept, as those of hands' data
sets are: points of hands are compared about them."""
_ELSEWHERE = [JOINT_INDEX[name] for name in ("left_hip", "right_hip", "neck", "head")]
"""Joints that other bodies have centimetres from SMPL-X's."""
_BEHIND = np.array([0, 0, -10], np.float32)
"""Posed fits are put behind the camera, metres: where they truly are before it is not
known, and nothing shall be read from it."""


class FittedBody(Protocol):
    """What is trained for; `picture_training.body.TrainingBody` is one."""

    @property
    def model(self) -> BodyModel:
        """The body model."""
        ...

    @property
    def key_points(self) -> KeyPoints:
        """Its key points, of as many coefficients as are regressed."""
        ...


class SuitedRecords:
    """A data set's records as they are true of one body model."""

    def __init__(self, records: Records, body: FittedBody) -> None:
        """Take the records of bodies or their parts, and what to suit them to."""
        self._records = records
        self._smplx = is_smplx(body.model)
        self._mean = body.model.hands_mean
        # Training moves the body's own to its device; records are read on the CPU.
        self._key_points = deepcopy(body.key_points).cpu() if self._smplx else None
        regressed = body.key_points.points.regressed_count > 0
        self._foreign = _REGRESSED if regressed else [] if self._smplx else _ELSEWHERE

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._records)

    def __getitem__(self, index: int) -> Record:
        """Return one."""
        record = self._records[index]
        if record.skeleton:
            record = replace(
                record,
                pixels=record.pixels.without(self._foreign),
                xyz=record.xyz.without(self._foreign),
            )
        if record.fit is None or self._key_points is None:
            return record
        return _posed(_told(record, record.fit, self._mean), self._key_points)


def _told(record: Record, fit: Fit, hands_mean: Float32 | None) -> Record:
    """Return the record with what the fit says put in."""
    turns = record.rotations
    if fit.fingers is not None and hands_mean is not None:
        turns = joined(turns, _whole(fit.fingers, hands_mean))
    return replace(record, rotations=turns, betas=fit.betas, expression=fit.expression)


def _whole(fingers: Float32, mean: Float32) -> Turns:
    """Return the rotations of fingers (30, 3) that are counted from a mean pose.

    As SMPL-X does it, axis-angles are added up.
    """
    known = np.flatnonzero(np.isfinite(fingers).all(-1))
    return turns_of([_FINGERS[k] for k in known], (fingers + mean)[known])


def _posed(record: Record, key_points: KeyPoints) -> Record:
    """Return the record with its fit's key points in space, as far as it says them."""
    known = record.rotations.known
    if not known[_BODY].all() or not len(record.betas):
        return record
    told = np.ones(KEY_POINT_COUNT, np.float32)
    for points, joints in _MOVED_BY:
        told[points] = known[joints].all()
    if not len(record.expression):
        told[FACE_POINTS] = 0
    skeleton = key_points.surface.skeleton
    with torch.no_grad():
        at = key_points(
            _row(record.betas, skeleton.n_betas),
            _row(record.expression, skeleton.n_expression),
            torch.from_numpy(record.rotations.R)[None],
        )[0]
    return replace(record, xyz=Points(at.numpy() + _BEHIND, told))


def _row(values: Float32, count: int) -> torch.Tensor:
    """Return the first `count` coefficients, (1, count); what is missing is 0."""
    row = torch.zeros(1, count)
    given = torch.from_numpy(np.asarray(values[:count], np.float32))
    row[0, : len(given)] = given
    return row
