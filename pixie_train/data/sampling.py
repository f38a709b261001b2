"""Random numbers for synthetic people, all from one seeded generator."""

import torch
from torch import Tensor

from pixie_train.rotations import matrix_from_rotvec


class Dice:
    """Draws from one generator; angles are asked for in degrees, given in radians."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def reseed(self, seed: int) -> None:
        """Start again from `seed`."""
        self._generator.manual_seed(seed)

    def normal(self, *shape: int, sd: float = 1.0, mean: float = 0.0) -> Tensor:
        """Return normal numbers."""
        return torch.randn(*shape, generator=self._generator) * sd + mean

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return uniform numbers in [low, high)."""
        unit = torch.rand(*shape, generator=self._generator)
        return unit * (high - low) + low

    def chance(self, *shape: int, p: float) -> Tensor:
        """Return booleans that are true with probability `p`."""
        return torch.rand(*shape, generator=self._generator) < p

    def index(self, *shape: int, below: int) -> Tensor:
        """Return integers in [0, below)."""
        return torch.randint(below, shape, generator=self._generator)

    def angles(self, *shape: int, sd_deg: tuple[float, float, float]) -> Tensor:
        """Return normal rotation vectors (*shape, 3) in radians."""
        return torch.deg2rad(self.normal(*shape, 3) * torch.tensor(sd_deg))

    def turns(self, *shape: int, sd_deg: tuple[float, float, float]) -> Tensor:
        """Return random rotations (*shape, 3, 3) about zero."""
        return matrix_from_rotvec(self.angles(*shape, sd_deg=sd_deg))
