"""What a wrong person costs: the terms of the paper's L_body, L_hand, L_face, L_update.

Each term is a function of decoded parameters and truth; `total` adds them up, for the
fused regression and, with less weight, for what the experts say alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_train.body_model import PosedSkeleton
from pixie_train.config import LossWeights
from pixie_train.data.people import PeopleFactory
from pixie_train.data.synthetic import Truth
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.landmark_inputs import EncoderInputs
from pixie_train.networks.landmark_pixie import LandmarkPixieOutput

_BODY = list(range(22))
_FINGERS = (list(LEFT_HAND_JOINTS), list(RIGHT_HAND_JOINTS))
_WRISTS = [JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]]
_ABSOLUTE = [JOINT_INDEX["pelvis"], JOINT_INDEX["head"], *_WRISTS]


@dataclass(frozen=True, eq=False)
class Losses:
    """The sum and its parts (detached), for the log."""

    total: Tensor
    terms: dict[str, float]


def total(
    output: LandmarkPixieOutput,
    truth: Truth,
    factory: PeopleFactory,
    weights: LossWeights,
) -> Losses:
    """Return the cost of one forward pass."""
    terms = _person(output.params, output.inputs, truth, factory, weights)
    terms["update"] = weights.update * output.pixie.update
    cost = torch.stack(list(terms.values())).sum()
    for raw, needs_parts in (
        (output.pixie.body_only, False),
        (output.pixie.part_only, True),
    ):
        expert = _parts(decode(raw), truth, weights, only_seen=needs_parts)
        cost = cost + weights.experts * expert
    return Losses(cost, {name: float(term.detach()) for name, term in terms.items()})


def _person(
    params: DecodedParams,
    inputs: EncoderInputs,
    truth: Truth,
    factory: PeopleFactory,
    weights: LossWeights,
) -> dict[str, Tensor]:
    rest = factory.body.rest_joints(params.betas)
    skeleton = factory.body.pose(rest, params.rotations)
    face = factory.face_points(params.betas, params.expression, params.rotations, rest)
    terms = {
        "joints": weights.joints
        * _l1(skeleton.joints[:, _BODY], truth.skeleton.joints[:, _BODY]),
        "hands": weights.hands * _hands(skeleton, truth, factory),
        "landmarks": weights.landmarks
        * _reprojection(skeleton, params.camera, inputs, truth, factory),
        "rotations": weights.rotations
        * _square(params.rotations[:, 1:22], truth.rotations[:, 1:22])
        + weights.rotations
        * _square(params.rotations[:, 25:], truth.rotations[:, 25:]),
        "betas": weights.betas * (params.betas - truth.betas).square().mean(),
        "face": weights.face * _l1(face, truth.face_local),
    }
    terms["parts"] = _parts(params, truth, weights, only_seen=False)
    return terms


def _parts(
    params: DecodedParams, truth: Truth, weights: LossWeights, *, only_seen: bool
) -> Tensor:
    """Return what the head's and hands' own parameters cost.

    Args:
        params: the regression.
        truth: what it should be.
        weights: of the terms.
        only_seen: whether a part that was not seen costs nothing.
    """
    count = len(params.betas)
    everyone = torch.ones(count)
    left, right, face = (
        truth.parts_seen[:, 1:].float().unbind(-1) if only_seen else (everyone,) * 3
    )
    target = truth.skeleton.R_root_joint[:, _ABSOLUTE]
    regressed = torch.cat([params.rotations[:, :1], params.absolute], dim=1)
    gap = (regressed - target).square().sum((-2, -1))
    masks = torch.stack(
        [torch.zeros_like(face) if only_seen else everyone, face, left, right], -1
    )
    cost = weights.root * (gap * masks).mean()
    for mask, joints in ((left, _FINGERS[0]), (right, _FINGERS[1])):
        fingers = (params.rotations[:, joints] - truth.rotations[:, joints]).square()
        cost = cost + weights.rotations * (fingers.sum((-2, -1)).mean(-1) * mask).mean()
    jaw = (params.rotations[:, JAW] - truth.rotations[:, JAW]).square().sum((-2, -1))
    expression = (params.expression - truth.expression).square().mean(-1)
    face_cost = weights.jaw * jaw + weights.expression * expression
    return cost + (face_cost * face).mean()


def _hands(skeleton: PosedSkeleton, truth: Truth, factory: PeopleFactory) -> Tensor:
    """L1 between hand landmarks about the wrist; a hand that was seen counts double."""
    cost = torch.zeros(())
    for side, points in enumerate(factory.hand_points):
        ours = skeleton.attached(points.joint, points.offset)
        theirs = truth.skeleton.attached(points.joint, points.offset)
        gap = (ours - ours[:, :1]) - (theirs - theirs[:, :1])
        weight = 0.5 + truth.parts_seen[:, 1 + side].float()
        cost = cost + (gap.abs().mean((-2, -1)) * weight).mean()
    return cost


def _reprojection(
    skeleton: PosedSkeleton,
    camera: Tensor,
    inputs: EncoderInputs,
    truth: Truth,
    factory: PeopleFactory,
) -> Tensor:
    """L1 between projected and true body landmarks in crop sizes.

    The camera is PIXIE's weak perspective, (x, y)' = s ((x, y) + (tx, ty)).
    """
    points = skeleton.attached(factory.pose_points.joint, factory.pose_points.offset)
    ours = camera[:, None, :1] * (points[..., :2] + camera[:, None, 1:])
    theirs = truth.pose_xy / inputs.crop_scale[:, None, None].detach()
    weight = torch.where(truth.pose_seen, 1.0, 0.1)[..., None]
    gap = torch.nn.functional.smooth_l1_loss(ours, theirs, beta=0.05, reduction="none")
    return (gap * weight * truth.parts_seen[:, :1, None]).mean()


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean()


def _square(a: Tensor, b: Tensor) -> Tensor:
    """Squared Frobenius distance of rotation matrices, mean over joints."""
    return (a - b).square().sum((-2, -1)).mean()
