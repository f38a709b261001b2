"""R_d: a head's picture, its jaw and its expression to a map of displacements.

Feng et al., "Learning an Animatable Detailed 3D Face Model from In-The-Wild Images"
(DECA, 2021), as far as spec: pixie-network, section 9, says it. A code of 128 numbers
is encoded from the picture; the decoder sees it beside jaw and expression, so that a
person's wrinkles move with both.
"""

import torch
from torch import Tensor, nn

from pixie_train.detail.config import SMALLEST_MAP, DetailConfig
from pixie_train.networks.image_encoder import BACKBONES, ImageEncoder
from pixie_train.networks.mlp import Mlp

_BATCH_NORM_EPS = 0.8
_LEAK = 0.2
_FLAT = 0.05
"""An untrained decoder's last layer is this much smaller than usual: it begins with a
nearly smooth face."""


class DetailEncoder(nn.Module):
    """E_d: pictures to codes."""

    def __init__(self, config: DetailConfig) -> None:
        super().__init__()
        with torch.device("meta"):
            feature_dim = BACKBONES[config.encoder]().feature_dim
        assert isinstance(feature_dim, int)
        self.normalise = config.normalise
        self.picture = ImageEncoder(config.encoder, feature_dim)
        self.code = Mlp([feature_dim, config.hidden, config.latent])

    def forward(self, image: Tensor) -> Tensor:
        """Map RGB heads (B, 3, S, S) in [0, 1] to codes (B, latent)."""
        backbone = self.picture
        if self.normalise:
            image = backbone.normalise(image)
        code: Tensor = self.code(backbone.encoder(image))
        return code


class DetailDecoder(nn.Module):
    """D_d: codes to displacements along the coarse face's normals."""

    def __init__(self, config: DetailConfig) -> None:
        super().__init__()
        first, last = config.channels[0], config.channels[-1]
        self.limit_m = config.limit_m
        inputs = config.n_jaw + config.n_expression + config.latent
        self.spread = nn.Linear(inputs, first * SMALLEST_MAP**2)
        layers: list[nn.Module] = [nn.BatchNorm2d(first)]
        for before, after in zip(config.channels, config.channels[1:], strict=False):
            layers += [
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after, eps=_BATCH_NORM_EPS),
                nn.LeakyReLU(_LEAK),
            ]
        self.maps = nn.Sequential(*layers)
        self.height = nn.Conv2d(last, 1, 3, padding=1)
        with torch.no_grad():
            self.height.weight.mul_(_FLAT)
            assert self.height.bias is not None
            self.height.bias.zero_()
        size = config.map_size
        self.common = (
            nn.Parameter(torch.zeros(1, 1, size, size)) if config.common else None
        )

    def forward(self, code: Tensor) -> Tensor:
        """Map [jaw, expression, detail code] (B, n) to metres (B, 1, S, S)."""
        spread = self.spread(code)
        smallest = spread.reshape(len(code), -1, SMALLEST_MAP, SMALLEST_MAP)
        height: Tensor = self.height(self.maps(smallest))
        if self.common is not None:
            height = height + self.common
        return height.tanh() * self.limit_m


class DetailNetwork(nn.Module):
    """Encoder and decoder."""

    def __init__(self, config: DetailConfig) -> None:
        super().__init__()
        self.config = config
        self.encode = DetailEncoder(config)
        self.decode = DetailDecoder(config)

    def forward(self, image: Tensor, jaw: Tensor, expression: Tensor) -> Tensor:
        """Return displacements along the normals, (B, 1, S, S), metres.

        Args:
            image: RGB heads in [0, 1], (B, 3, H, H).
            jaw: the coarse network's jaw, (B, n_jaw).
            expression: its coefficients, (B, n_expression) or more.
        """
        told = [jaw, expression[:, : self.config.n_expression], self.encode(image)]
        displacement: Tensor = self.decode(torch.cat(told, dim=1))
        return displacement


def trusted(
    displacement: Tensor, head_weights: Tensor, *, above: float = 0.6
) -> Tensor:
    """Leave faces smooth whose picture the head's moderator does not trust.

    Args:
        displacement: (B, 1, S, S), metres.
        head_weights: the moderator's weights of body and face expert, (B, 2):
            `FusedFeatures.weights[:, 0]`.
        above: what the face expert's weight must exceed; the release has 0.6.

    Returns:
        The displacement, or 0 for such people.
    """
    believed = head_weights[:, 1] > above
    return torch.where(believed[:, None, None, None], displacement, 0)
