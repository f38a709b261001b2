"""Exponentially averaged weights: what is evaluated and exported."""

from copy import deepcopy

import torch
from torch import nn


def copy_of(network: nn.Module) -> nn.Module:
    """Return a copy that is followed, never trained."""
    return deepcopy(network).requires_grad_(False).eval()


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the average towards the network; running statistics are copied."""
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        old.lerp_(new, 1 - decay)
    for there, here in zip(average.buffers(), network.buffers(), strict=True):
        there.copy_(here)
