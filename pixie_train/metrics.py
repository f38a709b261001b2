"""How good a network is on people it has not seen, in millimetres and degrees."""

import torch
from torch import Tensor

from pixie_runtime.smplx import JOINT_INDEX
from pixie_train.body_model import PosedSkeleton
from pixie_train.data.people import PeopleFactory
from pixie_train.data.synthetic import Truth
from pixie_train.networks.landmark_inputs import LandmarkBatch
from pixie_train.networks.landmark_pixie import LandmarkPixie
from pixie_train.rotations import geodesic

_LIMB_JOINTS = [16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]
_HEAD = JOINT_INDEX["head"]
_WRISTS = [20, 21]


@torch.no_grad()
def evaluate(
    network: LandmarkPixie,
    factory: PeopleFactory,
    landmarks: LandmarkBatch,
    truth: Truth,
) -> dict[str, float]:
    """Return mean errors over a batch: millimetres for points, degrees for angles."""
    output = network(landmarks)
    rest = factory.body.rest_joints(output.params.betas)
    skeleton = factory.body.pose(rest, output.params.rotations)
    body = truth.parts_seen[:, 0]
    limbs = _about_hips(skeleton)[body] - _about_hips(truth.skeleton)[body]
    angles = geodesic(skeleton.R_root_joint, truth.skeleton.R_root_joint).rad2deg()
    face = truth.parts_seen[:, 3]
    hands = truth.parts_seen[:, 1:3]
    return {
        "mpjpe_mm": _mm(limbs),
        "root_deg": float(angles[body, 0].mean()),
        "head_deg": float(angles[face, _HEAD].mean()),
        "wrist_deg": float(angles[:, _WRISTS][hands].mean()),
        "fingers_mm": _fingers(skeleton, truth, factory),
    }


def _about_hips(skeleton: PosedSkeleton) -> Tensor:
    joints = skeleton.joints[:, _LIMB_JOINTS]
    return joints - joints[:, 6:8].mean(1, keepdim=True)


def _mm(gap: Tensor) -> float:
    return float(gap.norm(dim=-1).mean() * 1000)


def _fingers(skeleton: PosedSkeleton, truth: Truth, factory: PeopleFactory) -> float:
    gaps = []
    for side, points in enumerate(factory.hand_points):
        ours = skeleton.attached(points.joint, points.offset)
        theirs = truth.skeleton.attached(points.joint, points.offset)
        gap = (ours - ours[:, :1]) - (theirs - theirs[:, :1])
        gaps.append(gap[truth.parts_seen[:, 1 + side]].flatten(0, 1))
    return _mm(torch.cat(gaps))
