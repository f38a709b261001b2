"""The weak-perspective camera of the paper: scale after a shift in the image plane."""

import torch
from torch import Tensor


def project(points: Tensor, camera: Tensor) -> Tensor:
    """Project points into the square that the camera was estimated for.

    (x, y) becomes s ((x, y) + (tx, ty)) and z becomes s z; y points down in both frames
    (spec: pixie-network, section 6).

    Args:
        points: (B, P, 3), metres, camera axes (x right, y down, z forward).
        camera: (B, 3): s in half sides of the square per metre, tx, ty in metres.

    Returns:
        (B, P, 3): x, y in [-1, 1] inside the square, z in the same unit.
    """
    shift = torch.cat([camera[:, 1:], torch.zeros_like(camera[:, :1])], dim=1)
    return camera[:, None, :1] * (points + shift[:, None])
