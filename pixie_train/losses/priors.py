"""What is likely without any label: (13) to (15), and priors on albedo and light."""

import math

import torch
from torch import Tensor

from pixie_train.losses.reduction import Cost

_UPRIGHT = 1e-2
"""Sine of the angle to the vertical below which a head faces no side."""


def expression(coefficients: Tensor) -> Cost:
    """Equation (13): |psi|^2, the sum over coefficients (B, n_expression)."""
    return Cost.of_all(coefficients.square().sum(-1))


def jaw(angles: Tensor, opens_about: int = 0) -> Cost:
    """Equation (14): jaws turn about one axis, and only open.

        pitch^2 + roll^2 + min(yaw, 0)^2

    The paper names the axis yaw that jaws open about. In SMPL-X's frames that is x, and
    opening is positive; y and z are the two that are kept small.

    Args:
        angles: the jaw's intrinsic x, y, z angles, (B, 3), radians.
        opens_about: the axis of opening.
    """
    free = torch.zeros(3, dtype=torch.bool, device=angles.device)
    free[opens_about] = True
    return Cost.of_all(torch.where(free, angles.clamp_max(0), angles).square().sum(-1))


def yaw(R_head: Tensor, largest_deg: float = 90.0) -> Cost:
    """Equation (15): faces of which a crop was made do not look away.

        max(|yaw| - 90 degrees, 0)^2

    Yaw is measured about the picture's vertical, from looking into the camera: the
    paper does not say which angle of the head it takes. A head that faces straight up
    or down (within 0.6 degrees) has none.

    Args:
        R_head: the head's absolute rotation, (B, 3, 3), camera axes (y down, z away
            from us); diag(1, -1, -1) looks into the camera, upright.
        largest_deg: from where yaw costs, degrees.

    Returns:
        Squared radians.
    """
    x, z = R_head[:, 0, 2], R_head[:, 2, 2]
    level = x.square() + z.square() > _UPRIGHT**2
    x, z = torch.where(level, x, 0), torch.where(level, z, -1)
    beyond = torch.atan2(x.abs(), -z) - math.radians(largest_deg)
    return Cost.of_all(beyond.clamp_min(0).square())


def texture(coefficients: Tensor) -> Cost:
    """Albedo: |alpha|^2 of (B, n_texture); not one of the paper's equations.

    Without it light and albedo share the picture's brightness at will. The released
    run's name lists a weight for it.
    """
    return Cost.of_all(coefficients.square().sum(-1))


def light(harmonics: Tensor) -> Cost:
    """Light: squared distance from grey; not one of the paper's equations.

    Colour that light could take as well as skin is left to the skin.

    Args:
        harmonics: (B, 9, 3), spherical harmonics bands by RGB.
    """
    grey = harmonics.mean(-1, keepdim=True)
    return Cost.of_all((harmonics - grey).square().mean((-2, -1)))
