"""Where a student begins: at the teacher's average person.

Networks begin with every joint at rest and the root as SMPL-X has it, which to a camera
is upside down: half a turn away the distance of rotation matrices hardly changes with
the angle, and the first thousand steps go into standing up. Lessons say where people
are; a student's last layers get that as their biases, and only that.
"""

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Float32
from pixie_train import rotations
from pixie_train.distillation.answers import absolute_rotations
from pixie_train.distillation.lesson import Lesson
from pixie_train.distillation.store import Lessons
from pixie_train.distillation.student import Student
from pixie_train.networks.decoding import PART_BODY_JOINTS
from pixie_train.networks.regressors import Regressor

_ASKED = 256
"""Lessons, evenly spread, that are averaged."""


def some_of(lessons: Lessons, numbers: range) -> list[Lesson]:
    """Return up to 256 of the lessons of these numbers, evenly spread."""
    return [lessons[number] for number in numbers[:: max(1, len(numbers) // _ASKED)]]


@torch.no_grad()
def begin_at_mean(student: Student, lessons: list[Lesson]) -> None:
    """Let a student with random weights say what the teacher says on average."""
    R = _stacked([lesson.rotations for lesson in lessons])
    absolute = absolute_rotations(R)
    present = _stacked([lesson.present for lesson in lessons]) > 0
    core = student.network.core
    _set(
        core.regress_body,
        {
            "body_cam": _stacked([lesson.camera for lesson in lessons]).mean(0),
            "global_pose": _mean_6d(R[:, 0]),
            "partbody_pose": _mean_6d(R[:, list(PART_BODY_JOINTS)]),
            "neck_pose": _mean_6d(R[:, JOINT_INDEX["neck"]]),
        },
    )
    _set(
        core.regress_head,
        {
            "shape": _stacked([lesson.betas for lesson in lessons]).mean(0),
            "exp": _stacked([lesson.expression for lesson in lessons]).mean(0),
            "head_pose": _mean_6d(absolute[:, JOINT_INDEX["head"]]),
            "jaw_pose": rotations.euler_xyz_from_matrix(_mean(R[:, JAW])),
        },
    )
    wrists = absolute[:, [JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]]]
    fingers = torch.stack(
        [R[:, list(LEFT_HAND_JOINTS)], R[:, list(RIGHT_HAND_JOINTS)]], dim=1
    )
    for hands in (wrists, fingers):
        hands[:, 0] = rotations.mirror(hands[:, 0])
    seen = present[:, 1:] if bool(present[:, 1:].any()) else present[:, 1:] | True
    _set(
        core.regress_hand,
        {
            "right_wrist_pose": _mean_6d(wrists[seen]),
            "right_hand_pose": _mean_6d(fingers[seen]),
        },
    )


def feature_spread(lessons: list[Lesson]) -> Tensor:
    """Return what distances of features of body, head and hands are divided by, (3,).

    The variance of the teacher's, mean over their elements, plus a hundredth of their
    mean square, lest features that hardly differ from lesson to lesson outweigh
    everything; 1 for what was never seen.
    """
    features = _stacked([lesson.features for lesson in lessons])
    seen = _stacked([lesson.present for lesson in lessons]) > 0
    hands = features[:, 2:][seen[:, 1:]]
    each = (features[:, 0], features[seen[:, 0], 1], hands)
    return torch.stack(
        [
            f.var(0, correction=0).mean() + 0.01 * f.square().mean()
            if len(f)
            else torch.tensor(1.0)
            for f in each
        ]
    )


def _set(regressor: Regressor, means: dict[str, Tensor]) -> None:
    """Give the last layer's bias its parts."""
    last = regressor.layers[-1]
    assert isinstance(last, nn.Linear)
    assert list(means) == list(regressor.outputs)
    last.bias.copy_(torch.cat([mean.flatten() for mean in means.values()]))


def _mean(R: Tensor) -> Tensor:
    """Return the chordal mean of rotations (N, ..., 3, 3): the nearest to all."""
    U, _, Vt = torch.linalg.svd(R.double().mean(0))
    flip = torch.ones_like(U[..., 0])
    flip[..., 2] = torch.linalg.det(U @ Vt)
    mean: Tensor = (U * flip[..., None, :]) @ Vt
    return mean.float()


def _mean_6d(R: Tensor) -> Tensor:
    return rotations.matrix_to_6d(_mean(R))


def _stacked(arrays: list[Float32]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
