"""What the teacher said, in the form that losses and figures compare with."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixie_runtime.smplx import (
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    MIRRORED_JOINTS,
    PARENTS,
    RIGHT_HAND_JOINTS,
)
from pixie_train import rotations
from pixie_train.batch import Targets
from pixie_train.camera import project
from pixie_train.data.pictures.mirroring import MIRRORED_POINTS
from pixie_train.distillation.lesson_batch import LessonBatch
from pixie_train.key_points import (
    FACE_POINTS,
    KEY_POINT_COUNT,
    LEFT_HAND_POINTS,
    RIGHT_HAND_POINTS,
    KeyPoints,
)

_ABSOLUTE = tuple(JOINT_INDEX[name] for name in ("head", "left_wrist", "right_wrist"))
_SWAPPED = [0, 2, 1]
"""Head, left hand and right hand in a mirror."""
_PART_JOINTS = ([JAW], list(LEFT_HAND_JOINTS), list(RIGHT_HAND_JOINTS))
_PART_POINTS = (FACE_POINTS, LEFT_HAND_POINTS, RIGHT_HAND_POINTS)


@dataclass(frozen=True, eq=False)
class Answers:
    """A batch's answers, mirrored where the student's pictures are."""

    whole: Targets
    """Everything: what a student's fused regression, and its body's alone, are
    compared with."""
    parts: Targets
    """What the parts' own features can say of it, of those that were looked at."""
    features: Tensor
    """(B, 4, D)."""
    features_known: Tensor
    """(B, 4) booleans."""
    weights: Tensor
    """The moderators' for the experts, (B, 3)."""
    present: Tensor
    """(B, 3) booleans."""


@torch.no_grad()
def answers_of(batch: LessonBatch, key_points: KeyPoints) -> Answers:
    """Pose the teacher's bodies, look at them in the mirror where the student does.

    Args:
        batch: the lessons.
        key_points: of the teacher's body model, with as many coefficients.
    """
    present, turned = batch.present > 0, batch.mirrored
    points = key_points(batch.betas, batch.expression, batch.rotations)
    xy = project(points, batch.camera)[..., :2]
    absolute = absolute_rotations(batch.rotations)[:, list(_ABSOLUTE)]
    xyz = _where(turned, points[:, list(MIRRORED_POINTS)] * _flip(points), points)
    xy = _where(turned, _mirrored_xy(xy, batch.crops.shape[-1]), xy)
    joints = batch.rotations[:, list(MIRRORED_JOINTS)]
    R = _where(turned, rotations.mirror(joints), batch.rotations)
    absolute = _where(turned, rotations.mirror(absolute[:, _SWAPPED]), absolute)
    asked = ~turned[:, None]
    whole = Targets.unknown(
        len(batch),
        n_betas=batch.betas.shape[1],
        n_expression=batch.expression.shape[1],
    )
    all_points = torch.ones_like(xy[..., 0])
    whole = replace(
        whole,
        xy=xy,
        xy_confidence=all_points,
        xyz=xyz,
        xyz_confidence=all_points,
        rotations=R,
        rotations_known=torch.ones_like(R[..., 0, 0], dtype=torch.bool),
        absolute=absolute,
        absolute_known=torch.ones_like(present),
        betas=batch.betas,
        betas_known=asked.expand_as(batch.betas),
        expression=batch.expression,
        expression_known=asked.expand_as(batch.expression),
    )
    order = [0, 1, 3, 2]
    looked = torch.cat([torch.ones_like(present[:, :1]), present], dim=1)
    known = looked.clone()
    known[:, :2] &= asked
    weights = _where(turned, batch.weights[:, _SWAPPED], batch.weights)
    features = _where(turned, batch.features[:, order], batch.features)
    return Answers(whole, _of_parts(whole, present), features, known, weights, present)


def absolute_rotations(R: Tensor) -> Tensor:
    """Return every joint's rotation in camera axes, (B, 55, 3, 3), of relative ones."""
    absolute: list[Tensor] = []
    for joint in range(JOINT_COUNT):
        parent = PARENTS[joint]
        own = R[:, joint]
        absolute.append(own if parent < 0 else absolute[parent] @ own)
    return torch.stack(absolute, dim=1)


def _of_parts(whole: Targets, present: Tensor) -> Targets:
    """Return what parts that are `present` (B, 3) know of themselves."""
    count = len(present)
    joints = torch.zeros(count, JOINT_COUNT, dtype=torch.bool, device=present.device)
    points = torch.zeros(count, KEY_POINT_COUNT, device=present.device)
    for part in range(3):
        joints[:, _PART_JOINTS[part]] = present[:, part, None]
        points[:, _PART_POINTS[part]] = present[:, part, None].float()
    head = present[:, :1]
    return replace(
        whole,
        xy_confidence=torch.zeros_like(points),
        xyz_confidence=points,
        rotations_known=joints,
        absolute_known=present,
        betas_known=whole.betas_known & head,
        expression_known=whole.expression_known & head,
    )


def _mirrored_xy(xy: Tensor, size: int) -> Tensor:
    """Return projected points (B, 145, 2) in the mirrored crop of `size` pixels.

    -1 is the centre of the crop's first pixel, +1 one pixel beyond that of its last.
    """
    mirrored = xy[:, list(MIRRORED_POINTS)].clone()
    mirrored[..., 0] = -mirrored[..., 0] - 2 / size
    return mirrored


def _flip(points: Tensor) -> Tensor:
    return points.new_tensor([-1.0, 1.0, 1.0])


def _where(which: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Choose whole samples."""
    return torch.where(which.reshape(-1, *(1,) * (no.dim() - 1)), yes, no)
