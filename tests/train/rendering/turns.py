"""Rotations for tests."""

import torch
from torch import Tensor

from pixie_train.rotations import matrix_from_rotvec


def turned(x: float, y: float, z: float) -> Tensor:
    """Return the rotation by the vector, (3, 3)."""
    return matrix_from_rotvec(torch.tensor([x, y, z]))
