"""An encoder for crops of 64 to 96 pixels that can be taught on a processor.

The encoders of `networks.image_encoder` come to a release trained on a million
pictures; averaged over the picture, their maps say nothing of it for thousands of
steps. This one looks for key points: a map for each, and of each map the place and how
sure it is. Maps can be taught directly (`ablation.sight`), which takes minutes, and
what is regressed from places is learned in minutes again.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pixie_train.ablation.plan import AblationPlan
from pixie_train.key_points import KEY_POINT_COUNT
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.beginning import begin_upright

_CHANNELS = (48, 96, 128)
"""Of maps a fourth, an eighth and a sixteenth of the crop's side."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """What an encoder sees before it is asked for a feature. K: all key points."""

    logits: Tensor
    """(B, K, n, n), n an eighth of the crop's side: where each key point is."""
    places: Tensor
    """(B, K, 2): their means over the map, in [-1, 1] over the crop."""
    peaks: Tensor
    """(B, K): the largest share of a map that one cell has."""
    picture: Tensor
    """(B, C): the coarsest maps, averaged."""


class SeeingEncoder(nn.Module):
    """Three scales of convolutions, maps of key points, two linear layers."""

    centres: Tensor

    def __init__(self, side: int, feature_dim: int) -> None:
        """Make an encoder of crops of `side` pixels, a multiple of 16."""
        super().__init__()
        fine, middle, coarse = _CHANNELS
        self.fine = nn.Sequential(_convolution(3, fine, 4, 4), _Residual(fine))
        self.middle = nn.Sequential(
            _convolution(fine, middle, 3, 2), _Residual(middle), _Residual(middle)
        )
        self.coarse = nn.Sequential(
            _convolution(middle, coarse, 3, 2), _Residual(coarse), _Residual(coarse)
        )
        self.across = nn.Conv2d(middle, middle, 1)
        self.up = nn.Conv2d(coarse, middle, 1)
        maps = nn.Conv2d(middle, KEY_POINT_COUNT, 1)
        self.maps = nn.Sequential(_Residual(middle), maps)
        self.feature = nn.Sequential(
            nn.Linear(3 * KEY_POINT_COUNT + coarse, 2 * feature_dim),
            nn.ReLU(),
            nn.Linear(2 * feature_dim, feature_dim),
        )
        n = side // 8
        self.register_buffer("centres", (torch.arange(n) + 0.5) / n * 2 - 1)

    def see(self, image: Tensor) -> Sighting:
        """Look for key points in RGB crops (B, 3, side, side) in [0, 1]."""
        with torch.autocast("cpu", torch.bfloat16):  # twice as fast, as good
            middle = self.middle(self.fine(image * 4 - 2))
            coarse = self.coarse(middle)
            up = functional.interpolate(self.up(coarse), scale_factor=2.0)
            logits = self.maps(torch.relu(self.across(middle) + up))
        logits = logits.float()
        shares = logits.flatten(2).softmax(-1).view_as(logits)
        x = (shares.sum(2) * self.centres).sum(-1)
        y = (shares.sum(3) * self.centres).sum(-1)
        places = torch.stack((x, y), -1)
        picture = coarse.float().mean((2, 3))
        return Sighting(logits, places, shares.flatten(2).amax(-1), picture)

    def forward(self, image: Tensor) -> Tensor:
        """Map RGB crops (B, 3, side, side) in [0, 1] to features (B, D)."""
        seen = self.see(image)
        said = torch.cat((seen.places.flatten(1), seen.peaks, seen.picture), 1)
        feature: Tensor = self.feature(said)
        return feature


class _Residual(nn.Module):
    """Two convolutions, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels, 3, 1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Keep shape (B, C, H, W)."""
        return torch.relu(x + self.norm(self.second(self.first(x))))


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size % 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def small_pixie(plan: AblationPlan) -> ImagePixie:
    """Return an untrained PIXIE with such encoders."""
    network = ImagePixie(plan.network)
    D = plan.network.core.feature_dim
    sides = {"body": plan.body_px, "head": plan.part_px, "hand": plan.part_px}
    for name, side in sides.items():
        network.add_module(f"encode_{name}", SeeingEncoder(side, D))
    # From upside down, rotations' distance is flat and little is learned.
    begin_upright(network)
    return network
