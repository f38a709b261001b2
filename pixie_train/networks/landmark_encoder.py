"""Landmark encoders: the places of PIXIE's image encoders, filled for landmarks."""

from torch import Tensor, nn

from pixie_train.networks.mlp import ResidualBlock


class LandmarkEncoder(nn.Module):
    """Turns one part's normalised landmark vector into its feature (F_b, F_f or F_h).

    Stands where the paper has HRNet-W48 (body) and ResNet-50 (head, hands).
    """

    def __init__(
        self, inputs: int, *, width: int, blocks: int, feature_dim: int
    ) -> None:
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, feature_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., inputs) to (..., feature_dim)."""
        y: Tensor = self.head(self.blocks(self.stem(x)))
        return y
