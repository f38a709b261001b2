"""One frame's person as the filters take it: finite throughout, with trust per item."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.confidence import by_part
from pixie_runtime.smoothing.settings import SmoothingSettings
from pixie_runtime.smplx import BODY_JOINTS, JOINT_COUNT, PARENTS
from pixie_runtime.types import (
    PARTS,
    Float32,
    Float64,
    Person,
    SmplxParams,
)

BODY, FACE = PARTS.index("body"), PARTS.index("face")

_BONE_ENDS = list(BODY_JOINTS)
_BONE_STARTS = [PARENTS[joint] for joint in BODY_JOINTS]


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What one frame says; items that are not finite are 0 and have weight 0."""

    rotations: Float64
    """Unit quaternions wxyz, (55, 4)."""
    joint_weight: Float64
    """(55,) in [0, 1]."""
    pelvis: Float64
    """Metres, camera frame, (3,), for a body of the smoothed shape."""
    pelvis_weight: Float64
    """(3,) in [0, 1]."""
    expression: Float64
    """(n_expression,)"""
    expression_weight: Float64
    """(n_expression,) in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """How far what one frame says of a person is followed, each in [0, 1]."""

    parts: Float64
    """In the order of `PARTS`, (4,)."""
    joints: Float64
    """(55,); the pelvis' position goes with the pelvis."""

    @classmethod
    def of(cls, person: Person, settings: SmoothingSettings) -> "Trust":
        """Return what a person's confidences come to."""
        parts = [getattr(person.confidence, part) for part in PARTS]
        joints = person.joint_confidence
        if joints is None:
            joints = by_part(person.confidence)
        return cls(
            _followed(np.array(parts, np.float64), settings),
            _followed(joints.astype(np.float64), settings),
        )

    @classmethod
    def none(cls) -> "Trust":
        """Return that for a frame of which nothing is believed."""
        return cls(np.zeros(len(PARTS)), np.zeros(JOINT_COUNT))


def _followed(confidence: Float64, settings: SmoothingSettings) -> Float64:
    low, high = settings.unseen_below, settings.sure_above
    return np.clip((np.nan_to_num(confidence, nan=0.0) - low) / (high - low), 0.0, 1.0)


def measure(
    params: SmplxParams, model: BodyModel, betas: Float32, trust: Trust
) -> Measurement:
    """Check one frame's parameters and fit the position to the smoothed `betas`."""
    q, good_q = _finite_rows(params.rotations)
    good_q &= np.einsum("jc,jc->j", q, q) > 1e-6
    q[~good_q] = (1.0, 0.0, 0.0, 0.0)
    expression, good_expression = _finite_rows(params.expression[:, None])
    pelvis, good_pelvis = _finite_rows(pelvis_for_shape(params, model, betas)[None])
    return Measurement(
        rotations=np.asarray(rot.normalise(q), np.float64),
        joint_weight=trust.joints * good_q,
        pelvis=pelvis[0],
        pelvis_weight=np.full(3, trust.joints[0] * good_pelvis[0]),
        expression=expression[:, 0],
        expression_weight=trust.parts[FACE] * good_expression,
    )


def pelvis_for_shape(params: SmplxParams, model: BodyModel, betas: Float32) -> Float64:
    """Return where the pelvis is if the body has the shape `betas`, (3,), metres.

    One camera cannot tell a small body from a far one: what was measured is the
    picture, and it stays the same when size and distance grow together.
    """
    own = np.nan_to_num(params.betas, posinf=0.0, neginf=0.0)
    neutral = np.zeros(0, np.float32)
    own_rest = model.shaped(own, neutral).joints
    rest = model.shaped(betas, neutral).joints
    scale = _bones_length(rest) / max(_bones_length(own_rest), 1e-6)
    return np.asarray((own_rest[0] + params.transl) * scale, np.float64)


def _bones_length(joints: Float32) -> float:
    bones = joints[_BONE_ENDS] - joints[_BONE_STARTS]
    return float(np.sqrt(np.einsum("ba,ba->b", bones, bones)).sum())


def _finite_rows(values: Float32 | Float64) -> tuple[Float64, npt.NDArray[np.bool_]]:
    array = np.array(values, np.float64)
    good = np.asarray(np.isfinite(array).all(axis=1))
    array[~good] = 0.0
    return array, good
