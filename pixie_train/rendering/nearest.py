"""What rasterisers agree on: which triangles are drawn, and which one wins.

Depth and number of a triangle make one 64-bit integer: the nearest is the least.
"""

import torch
from torch import Tensor

NOTHING = -1
"""The triangle of a pixel that sees none."""
LEAST_AREA = 1e-6
"""Triangles of less than half this many pixels' area are seen edge-on: not drawn."""
FREE = torch.iinfo(torch.int64).max
"""The integer of a pixel that has seen none so far."""


def keys(depth: Tensor, number: Tensor) -> Tensor:
    """Return integers in the order of float32 depths, then of the triangles' numbers.

    Args:
        depth: (n,) float32, no NaN.
        number: (n,) int64, from 0 to 2^32 - 1.
    """
    bits = (depth + 0.0).view(torch.int32)  # -0 becomes 0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered.long() << 32) | number


def winners(best: Tensor) -> Tensor:
    """Return the triangles' numbers of least keys, of any shape; NOTHING where FREE."""
    return torch.where(best == FREE, NOTHING, best & 0xFFFFFFFF)
