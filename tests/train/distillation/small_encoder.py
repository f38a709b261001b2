"""An encoder whose steps take milliseconds, with batch normalisation as large ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from torch import Tensor, nn

from pixie_train.config import CoreConfig, EncoderName, ImageConfig
from pixie_train.networks.image_encoder import BACKBONES

SIDE = 32
"""Of the crops that it takes."""
NAME = cast("EncoderName", "three_convolutions")
STUDENT = ImageConfig(
    NAME,
    NAME,
    NAME,
    CoreConfig(feature_dim=64, regressor_width=64, moderator_width=8),
)


class ThreeConvolutions(nn.Module):
    """Pictures (B, 3, 32, 32) to features (B, 256)."""

    feature_dim = 256

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 8), (8, 16), (16, 16)):
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, nn.Flatten())

    def forward(self, image: Tensor) -> Tensor:
        feature: Tensor = self.layers(image)
        return feature


@contextmanager
def known() -> Iterator[None]:
    """Let networks be made of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, NAME, ThreeConvolutions)
        yield
