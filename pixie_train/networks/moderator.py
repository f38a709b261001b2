"""Moderators: who is to be believed about a part, the body or the part's expert?"""

import torch
from torch import Tensor, nn

from pixie_train.networks.mlp import Mlp

_ABSENT = 1e4


class Moderator(nn.Module):
    """Weighs a body-derived feature against a part's own (paper, section 3.2).

    weights = softmax(t * MLP([e ; F])) with a learned temperature t that multiplies the
    two logits (spec: pixie-network, section 3).
    """

    def __init__(self, feature_dim: int, width: int, *, layers: int = 1) -> None:
        super().__init__()
        self.layers = Mlp([2 * feature_dim, *([width] * layers), 2]).layers
        self.temperature = nn.Parameter(torch.ones(1))

    def forward(self, e: Tensor, F: Tensor, present: Tensor) -> Tensor:
        """Return the weights (..., 2): [body, part].

        Args:
            e: body-derived feature of the part, (..., D).
            F: the part expert's feature, (..., D).
            present: (...), 1 where the expert saw its part, else 0: then its feature
                says nothing and gets no weight.
        """
        logits = self.layers(torch.cat([e, F], dim=-1)) * self.temperature
        absent = (1 - present) * _ABSENT
        logits = logits - torch.stack([torch.zeros_like(absent), absent], dim=-1)
        weights: Tensor = logits.softmax(dim=-1)
        return weights
