"""Exponentially averaged weights: what is evaluated and exported."""

from collections.abc import Callable
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


@torch.no_grad()
def settle(average: nn.Module, show: Callable[[], None]) -> None:
    """Count the averaged network's own statistics for batch normalisation.

    Those that were copied are of other weights, and lag: layers count on what the ones
    before them were some steps ago. In a deep encoder's first hundred steps an averaged
    network is so wrong by them that its answers are of another size.

    Args:
        average: in evaluation mode, and so it is left.
        show: runs the network on some batches; the more the better.
    """
    norms = [
        module for module in average.modules() if isinstance(module, nn.BatchNorm2d)
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over what is shown
        norm.train()
    show()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
