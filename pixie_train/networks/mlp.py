"""The plain multi-layer perceptron that all small networks of PIXIE are."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn


class Mlp(nn.Module):
    """Linear layers with ReLU between them and nothing after the last.

    The linear layers sit at indices 0, 2, 4 of `layers`, as in the official
    checkpoint (spec: pixie-network, section 3).
    """

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for wide, narrow in itertools.pairwise(dims):
            modules += [nn.Linear(wide, narrow), nn.ReLU()]
        self.layers = nn.Sequential(*modules[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dims[0]) to (..., dims[-1])."""
        y: Tensor = self.layers(x)
        return y


class ResidualBlock(nn.Module):
    """x + MLP(x), normalised before: deep encoders of landmarks train well so."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = Mlp([width, width, width])

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., width) to (..., width)."""
        y: Tensor = x + self.mlp(self.norm(x))
        return y
