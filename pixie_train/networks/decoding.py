"""From regressed vectors to SMPL-X rotations (spec: pixie-network, section 4).

Head and wrists are regressed as absolute rotations and the left hand in a mirrored
right hand's space; both peculiarities end here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_runtime.smplx import (
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_train import rotations
from pixie_train.networks.head_check import checked
from pixie_train.networks.pixie import RawParams

PART_BODY_JOINTS = (*range(1, 12), 13, 14, 16, 17, 18, 19)
"""The joints that `partbody_pose` turns."""

_NECK, _HEAD = JOINT_INDEX["neck"], JOINT_INDEX["head"]
_WRISTS = (JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"])
_SPINE = (3, 6, 9)
_LEFT_ARM = (13, 16, 18)
"""Collar, shoulder, elbow; the right one follows each."""

_BODY = (0, *PART_BODY_JOINTS, _NECK)
_FINGER_JOINTS = (*LEFT_HAND_JOINTS, *RIGHT_HAND_JOINTS)
_REGRESSED = len(_BODY) + 3 + len(_FINGER_JOINTS)
"""Regressed rotations: the body's, then of head and wrists, then of fingers."""
_ABSOLUTE = slice(len(_BODY), len(_BODY) + 3)
_FINGERS = slice(_ABSOLUTE.stop, _REGRESSED)
_DECODED = (*_BODY, _HEAD, *_WRISTS, *_FINGER_JOINTS, JAW)
_ORDER = tuple(
    _DECODED.index(joint) if joint in _DECODED else len(_DECODED)
    for joint in range(JOINT_COUNT)
)
"""Where each of the 55 joints' rotations is; those at rest share the last one."""


def _signs() -> Tensor:
    signs = torch.ones(_REGRESSED, 3, 3)
    wrist, fingers = _ABSOLUTE.start + 1, _FINGERS.start
    for left in (
        slice(wrist, wrist + 1),
        slice(fingers, fingers + len(LEFT_HAND_JOINTS)),
    ):
        signs[left] = rotations.mirror(signs[left])
    return signs


_SIGNS = _signs()
"""(52, 3, 3): turns the left hand's rotations into its own space."""


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
    vectors = (
        *(raw.body[name] for name in ("global_pose", "partbody_pose", "neck_pose")),
        raw.head["head_pose"],
        raw.hands["right_wrist_pose"].flatten(1),
        raw.hands["right_hand_pose"].flatten(1),
    )
    sixes = torch.cat(vectors, dim=-1).reshape(-1, _REGRESSED, 6)
    R = rotations.matrix_from_6d(sixes)
    R = R * _SIGNS.to(R)
    body, absolute = R[:, : len(_BODY)], R[:, _ABSOLUTE]
    relative = _parents(body).transpose(-1, -2) @ absolute
    head_unchecked = relative[:, 0]
    if head_check is not None:
        head = checked(head_unchecked, head_check)
        relative = torch.cat([head[:, None], relative[:, 1:]], dim=1)
    jaw = rotations.matrix_from_euler_xyz(raw.head["jaw_pose"])
    rest = torch.eye(3, dtype=R.dtype, device=R.device).expand_as(jaw)
    found = [body, relative, R[:, _FINGERS], jaw[:, None], rest[:, None]]
    order = torch.tensor(_ORDER, device=R.device)
    return DecodedParams(
        rotations=torch.cat(found, dim=1).index_select(1, order),
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


def _parents(body: Tensor) -> Tensor:
    """Return absolute rotations (B, 3, 3, 3) of neck, left elbow, right elbow.

    Without a gradient, as in the release: otherwise an error of the head or a wrist
    would be paid for by bending the spine.

    Args:
        body: (B, 19, 3, 3), of `_BODY`.
    """
    spine = body[:, 0]
    for joint in _SPINE:
        spine = spine @ body[:, _BODY.index(joint)]
    arms = spine[:, None]
    for left in map(_BODY.index, _LEFT_ARM):
        arms = arms @ body[:, left : left + 2]
    neck = spine @ body[:, _BODY.index(_NECK)]
    return torch.cat([neck[:, None], arms], dim=1).detach()
