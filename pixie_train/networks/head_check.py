"""How far a head may turn against its neck (spec: pixie-network, section 4, step 6)."""

import math

import torch
from torch import Tensor

from pixie_train import rotations

LIMITS_DEG = (20.0, 70.0, 10.0)
"""About x (nodding), y (turning) and z (tilting)."""

_FADE_FROM = math.radians(120)


def released(R: Tensor) -> Tensor:
    """Apply the release's rule to relative head rotations (B, 3, 3).

    Of the three Euler angles those beyond their limit become zero. A head that turns
    past a limit hence jumps back, which a picture does not show and a stream does.
    """
    angles = rotations.euler_xyz_from_matrix(R)
    limits = torch.deg2rad(torch.tensor(LIMITS_DEG, device=R.device))
    return rotations.matrix_from_euler_xyz(angles * (angles.abs() <= limits))


def softened(R: Tensor) -> Tensor:
    """Limit relative head rotations (B, 3, 3) without a jump anywhere.

    The rotation vector is shortened onto the ellipsoid whose half axes are the limits;
    what is inside stays. Beyond 120 degrees it fades to nothing at 180, where a
    rotation vector changes sides.
    """
    twice_sine = torch.stack(
        [
            R[..., 2, 1] - R[..., 1, 2],
            R[..., 0, 2] - R[..., 2, 0],
            R[..., 1, 0] - R[..., 0, 1],
        ],
        dim=-1,
    )
    trace = R[..., 0, 0] + R[..., 1, 1] + R[..., 2, 2]
    angle = torch.atan2(twice_sine.norm(dim=-1), trace - 1)[..., None]
    vector = rotations.unit(twice_sine) * angle
    limits = torch.deg2rad(torch.tensor(LIMITS_DEG, device=R.device))
    excess = (vector / limits).norm(dim=-1, keepdim=True).clamp_min(1.0)
    fade = ((math.pi - angle) / (math.pi - _FADE_FROM)).clamp(0, 1)
    return rotations.matrix_from_rotvec(vector / excess * fade)


def checked(R: Tensor, check: Tensor) -> Tensor:
    """Apply to each of (B, 3, 3) the check of its number (B,): `HEAD_CHECKS`."""
    number = check[:, None, None]
    return torch.where(
        number < 0.5, R, torch.where(number < 1.5, softened(R), released(R))
    )
