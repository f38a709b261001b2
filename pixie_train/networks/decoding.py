"""From regressed vectors to SMPL-X rotations (spec: pixie-network, section 4).

Head and wrists are regressed as absolute rotations and the left hand in a mirrored
right hand's space; both peculiarities end here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train import rotations
from pixie_train.networks.pixie import RawParams

_HEAD_CHAIN = (3, 6, 9, 12)
_LEFT_WRIST_CHAIN = (3, 6, 9, 13, 16, 18)
_RIGHT_WRIST_CHAIN = (3, 6, 9, 14, 17, 19)


@dataclass(frozen=True, eq=False)
class DecodedParams:
    """SMPL-X parameters of a batch."""

    rotations: Tensor
    """(B, 55, 3, 3): row 0 absolute, the others relative to the parent."""
    absolute: Tensor
    """(B, 3, 3, 3): absolute rotations of head, left wrist, right wrist."""
    betas: Tensor
    """(B, n_betas)."""
    expression: Tensor
    """(B, n_expression)."""
    camera: Tensor
    """(B, 3): weak-perspective scale and translation (s, tx, ty) in the body crop."""


def decode(raw: RawParams) -> DecodedParams:
    """Decode one regression into parent-relative SMPL-X rotations."""
    root = rotations.matrix_from_6d(raw.body["global_pose"])
    part = rotations.matrix_from_6d(raw.body["partbody_pose"].reshape(-1, 17, 6))
    neck = rotations.matrix_from_6d(raw.body["neck_pose"])
    head = rotations.matrix_from_6d(raw.head["head_pose"])
    jaw = rotations.matrix_from_euler_xyz(raw.head["jaw_pose"])
    left_wrist, left_fingers = _hand(raw.left_hand)
    left_wrist, left_fingers = (
        rotations.mirror(left_wrist),
        rotations.mirror(left_fingers),
    )
    right_wrist, right_fingers = _hand(raw.right_hand)

    joints = dict(
        zip((*range(1, 12), 13, 14, 16, 17, 18, 19), part.unbind(1), strict=True)
    )
    joints[0], joints[12] = root, neck
    absolute = torch.stack([head, left_wrist, right_wrist], dim=1)
    chains = (_HEAD_CHAIN, _LEFT_WRIST_CHAIN, _RIGHT_WRIST_CHAIN)
    for child, chain, R in zip((15, 20, 21), chains, absolute.unbind(1), strict=True):
        joints[child] = _accumulate(joints, chain).transpose(-1, -2) @ R
    body = torch.stack([joints[i] for i in range(22)], dim=1)
    eye = torch.eye(3, dtype=root.dtype, device=root.device).expand_as(root)
    face = torch.stack([jaw, eye, eye], dim=1)
    return DecodedParams(
        rotations=torch.cat([body, face, left_fingers, right_fingers], dim=1),
        absolute=absolute,
        betas=raw.head["shape"],
        expression=raw.head["exp"],
        camera=raw.body["body_cam"],
    )


def _hand(raw: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    fingers = raw["right_hand_pose"].reshape(-1, 15, 6)
    return (
        rotations.matrix_from_6d(raw["right_wrist_pose"]),
        rotations.matrix_from_6d(fingers),
    )


def _accumulate(joints: dict[int, Tensor], chain: tuple[int, ...]) -> Tensor:
    """Return the absolute rotation at a chain's end; no gradient, as in the release.

    Otherwise an error of the head or a wrist would be paid for by bending the spine.
    """
    R = joints[0]
    for joint in chain:
        R = R @ joints[joint]
    return R.detach()
