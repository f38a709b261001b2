"""How far a student's people are from its teacher's, in degrees and millimetres."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.smplx import JAW, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_train.camera import project
from pixie_train.distillation.lesson_batch import LessonBatch
from pixie_train.distillation.student import Student
from pixie_train.key_points import KeyPoints
from pixie_train.losses.parameters import ROOT_ROTATION
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.rotations import geodesic

_BODY = list(range(1, 22))
_FINGERS = [*LEFT_HAND_JOINTS, *RIGHT_HAND_JOINTS]
_HALF_CROP_PX = 112


@dataclass(frozen=True)
class Distance:
    """Means over lessons."""

    root_deg: float
    """Between the roots' rotations."""
    body_deg: float
    """Between rotations of the 21 body joints, head and wrists among them, against
    their parents."""
    fingers_deg: float
    """Between those of the 30 finger joints."""
    jaw_deg: float
    points_mm: float
    """Between the 145 key points of the posed bodies, pelvis on pelvis."""
    points_px: float
    """Between the key points in the body's crop, if that had 224 pixels."""
    betas: float
    """Root mean square difference of shape coefficients."""
    expression: float
    """Root mean square difference of expression coefficients."""
    moderators: float
    """Mean difference of the experts' weights, of parts that were looked at."""

    def figures(self) -> dict[str, float]:
        """Return everything by name."""
        return asdict(self)


@torch.no_grad()
def distance(
    student: Student,
    batches: Iterable[LessonBatch],
    key_points: KeyPoints,
    rules: FusionRules | None = None,
) -> Distance:
    """Compare a student with its teacher as both are run live.

    Args:
        student: in evaluation mode.
        batches: lessons, not mirrored.
        key_points: of the teacher's body.
        rules: what is done with the experts' features; as the teacher had it.
    """
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    row = torch.from_numpy((rules or FusionRules()).row())
    for batch in batches:
        for name, values in _compared(student, batch, key_points, row).items():
            sums[name] = sums.get(name, 0.0) + float(values.double().sum())
            counts[name] = counts.get(name, 0) + values.numel()
    means = {name: sums[name] / max(counts[name], 1) for name in sums}
    for name in ("betas", "expression"):
        means[name] = means[name] ** 0.5
    return Distance(**means)


def _compared(
    student: Student, batch: LessonBatch, key_points: KeyPoints, row: Tensor
) -> dict[str, Tensor]:
    network = student.network
    rules = row.to(batch.present).expand(len(batch), -1)
    pixie = network.core(network.encode(batch.pictures), rules)
    said = decode(pixie.fused, rules[:, 3])
    ours, xy = _points(said, key_points)
    theirs = key_points(batch.betas, batch.expression, batch.rotations)
    there = project(theirs, batch.camera)[..., :2]
    degrees = torch.rad2deg(geodesic(said.rotations, batch.rotations))
    weights = (pixie.part_weights - batch.weights).abs()
    return {
        "root_deg": degrees[:, ROOT_ROTATION],
        "body_deg": degrees[:, _BODY],
        "fingers_deg": degrees[:, _FINGERS],
        "jaw_deg": degrees[:, JAW],
        "points_mm": _apart(ours - ours[:, :1], theirs - theirs[:, :1]) * 1000,
        "points_px": _apart(xy, there) * _HALF_CROP_PX,
        "betas": (said.betas - batch.betas).square(),
        "expression": (said.expression - batch.expression).square(),
        "moderators": weights[batch.present > 0],
    }


def _points(said: DecodedParams, key_points: KeyPoints) -> tuple[Tensor, Tensor]:
    points = key_points(said.betas, said.expression, said.rotations)
    return points, project(points, said.camera)[..., :2]


def _apart(ours: Tensor, theirs: Tensor) -> Tensor:
    apart: Tensor = (ours - theirs).norm(dim=-1)
    return apart
