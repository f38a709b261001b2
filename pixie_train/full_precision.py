"""Geometry is computed in float32, whatever precision the networks run in."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Switch autocasting off where `like` is; a no-op where there is none.

    Half precision has steps of several millimetres at the size of a body, and matrix
    products are what autocasting turns to it.
    """
    device = like.device.type
    if not torch.amp.autocast_mode.is_autocast_available(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)
