"""From regressed vectors to SMPL-X rotations (spec: pixie-network, section 4).

Head and wrists are regressed as absolute rotations and the left hand in a mirrored
right hand's space; both peculiarities end here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX, RIGHT_HAND_JOINTS
from pixie_train import rotations
from pixie_train.networks.head_check import checked
from pixie_train.networks.pixie import RawParams

PART_BODY_JOINTS = (*range(1, 12), 13, 14, 16, 17, 18, 19)
"""The joints that `partbody_pose` turns."""

_NECK, _HEAD = JOINT_INDEX["neck"], JOINT_INDEX["head"]
_WRISTS = (JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"])
_HEAD_CHAIN = (3, 6, 9, 12)
_LEFT_WRIST_CHAIN = (3, 6, 9, 13, 16, 18)
_RIGHT_WRIST_CHAIN = (3, 6, 9, 14, 17, 19)


@dataclass(frozen=True, eq=False)
class DecodedParams:
    """SMPL-X parameters of a batch."""

    rotations: Tensor
    """(B, 55, 3, 3): row 0 absolute, the others relative to the parent."""
    absolute: Tensor
    """(B, 3, 3, 3): absolute rotations of head, left wrist, right wrist, as they were
    regressed."""
    head_unchecked: Tensor
    """(B, 3, 3): the head's rotation against the neck before the head check."""
    betas: Tensor
    """(B, n_betas)."""
    expression: Tensor
    """(B, n_expression)."""
    camera: Tensor
    """(B, 3): weak-perspective scale and translation (s, tx, ty) in the body crop."""


def decode(raw: RawParams, head_check: Tensor | None = None) -> DecodedParams:
    """Decode one regression into parent-relative SMPL-X rotations.

    Args:
        raw: the regression.
        head_check: number of each person's head check (`HEAD_CHECKS`), (B,); None: off.
    """
    root = rotations.matrix_from_6d(raw.body["global_pose"])
    part = rotations.matrix_from_6d(raw.body["partbody_pose"].reshape(-1, 17, 6))
    neck = rotations.matrix_from_6d(raw.body["neck_pose"])
    head = rotations.matrix_from_6d(raw.head["head_pose"])
    jaw = rotations.matrix_from_euler_xyz(raw.head["jaw_pose"])
    wrists = _unmirrored(rotations.matrix_from_6d(raw.hands["right_wrist_pose"]))
    fingers = _unmirrored(
        rotations.matrix_from_6d(raw.hands["right_hand_pose"].reshape(-1, 2, 15, 6))
    )

    joints = dict(zip(PART_BODY_JOINTS, part.unbind(1), strict=True))
    joints[0], joints[_NECK] = root, neck
    absolute = torch.cat([head[:, None], wrists], dim=1)
    chains = (_HEAD_CHAIN, _LEFT_WRIST_CHAIN, _RIGHT_WRIST_CHAIN)
    for child, chain, R in zip(
        (_HEAD, *_WRISTS), chains, absolute.unbind(1), strict=True
    ):
        joints[child] = _accumulate(joints, chain).transpose(-1, -2) @ R
    head_unchecked = joints[_HEAD]
    if head_check is not None:
        joints[_HEAD] = checked(head_unchecked, head_check)
    body = torch.stack([joints[i] for i in range(22)], dim=1)
    eye = torch.eye(3, dtype=root.dtype, device=root.device).expand_as(root)
    face = torch.stack([jaw, eye, eye], dim=1)
    return DecodedParams(
        rotations=torch.cat([body, face, fingers.flatten(1, 2)], dim=1),
        absolute=absolute,
        head_unchecked=head_unchecked,
        betas=raw.head["shape"],
        expression=raw.head["exp"],
        camera=raw.body["body_cam"],
    )


def decode_head(raw: dict[str, Tensor]) -> Tensor:
    """Return the rotations (B, 55, 3, 3) of a head alone: the root bears its turn."""
    R = rotations.matrix_from_6d(raw["head_pose"])
    jaw = rotations.matrix_from_euler_xyz(raw["jaw_pose"])
    return _resting({0: R, JAW: jaw})


def decode_hand(raw: dict[str, Tensor]) -> Tensor:
    """Return the rotations (B, 55, 3, 3) of a right hand alone.

    The body stands upright before the camera (root diag(1, -1, -1)).
    """
    wrist = rotations.matrix_from_6d(raw["right_wrist_pose"])
    fingers = rotations.matrix_from_6d(raw["right_hand_pose"].reshape(-1, 15, 6))
    upright = torch.diag(
        torch.tensor([1.0, -1.0, -1.0], dtype=wrist.dtype, device=wrist.device)
    )
    turned = {0: upright.expand_as(wrist), _WRISTS[1]: upright @ wrist}
    turned |= dict(zip(RIGHT_HAND_JOINTS, fingers.unbind(1), strict=True))
    return _resting(turned)


def _resting(turned: dict[int, Tensor]) -> Tensor:
    """Return rotations of bodies at rest but for some joints, the root among them."""
    root = turned[0]
    eye = torch.eye(3, dtype=root.dtype, device=root.device).expand_as(root)
    return torch.stack([turned.get(j, eye) for j in range(JOINT_COUNT)], dim=1)


def _unmirrored(hands: Tensor) -> Tensor:
    """Return rotations (B, 2, ..., 3, 3) with the left hand's in its own space."""
    left, right = hands.unbind(1)
    return torch.stack([rotations.mirror(left), right], dim=1)


def _accumulate(joints: dict[int, Tensor], chain: tuple[int, ...]) -> Tensor:
    """Return the absolute rotation at a chain's end; no gradient, as in the release.

    Otherwise an error of the head or a wrist would be paid for by bending the spine.
    """
    R = joints[0]
    for joint in chain:
        R = R @ joints[joint]
    return R.detach()
