"""What an encoder's maps of key points cost: the first thing that it is taught."""

import torch
from torch import Tensor

from pixie_train.ablation.encoder import Sighting
from pixie_train.batch import Batch

_SPREAD = 0.75
"""Standard deviation of a key point's target, in cells of the map."""
_PLACE = 2.0
"""Weight of the places' distance, in halves of the crop, beside the maps' entropy."""


def sight_cost(seen: Sighting, centres: Tensor, batch: Batch) -> Tensor:
    """Return how far an encoder is from seeing where key points are.

    Cross entropy between its maps and a normal distribution about each true place, and
    the L1 distance of the places. Points outside the crop, or unknown, cost nothing.

    Args:
        seen: what the encoder says of the batch.
        centres: (n,), middles of the maps' cells in [-1, 1].
        batch: B pictures and where their key points are.
    """
    xy = batch.targets.xy
    inside = (xy.abs() < 1).all(-1) & (batch.targets.xy_confidence > 0)
    spread = _SPREAD * 2 / len(centres)
    near = torch.exp(-((xy[..., None] - centres) / spread).square() / 2)
    target = near[:, :, 1, :, None] * near[:, :, 0, None, :]
    target = target.flatten(2)
    # Of points far outside nothing is left to divide by; they do not count.
    target = target / target.sum(-1, keepdim=True).clamp_min(1e-6)
    entropy = -(target * seen.logits.flatten(2).log_softmax(-1)).sum(-1)
    distance = (seen.places - xy).abs().sum(-1)
    each = (entropy + _PLACE * distance) * inside
    return each.sum() / inside.sum().clamp_min(1)
