"""HRNet-W48 with a multi-scale head: the paper's body encoder.

Spec: pixie-network, section 2.2; key names as in the official checkpoint. Branches of
falling resolution run side by side and exchange what they see after every module; the
head brings all of them to 7x7, so that the feature knows both the person and the
fingers' whereabouts.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pixie_train.networks.residual import BasicBlock, Bottleneck, conv1x1, conv3x3


def _halved(inputs: int, outputs: int, *, relu: bool = True) -> nn.Sequential:
    """Return a 3x3 convolution of stride 2 with batch norm, and ReLU if wanted."""
    layers: list[nn.Module] = [conv3x3(inputs, outputs, 2), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class HighResolutionModule(nn.Module):
    """Four residual blocks on every branch, then an exchange between all branches."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width, width) for _ in range(4)))
            for width in channels
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(
                _exchange(channels, source, target) for source in range(len(channels))
            )
            for target in range(len(channels))
        )
        self.relu = nn.ReLU()

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Map one map for each branch, finest first, to as many of the same sizes."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for row in self.fuse_layers:
            assert isinstance(row, nn.ModuleList)
            pieces = [layer(x) for layer, x in zip(row, maps, strict=True)]
            total = pieces[0]
            for piece in pieces[1:]:
                total = total + piece
            fused.append(self.relu(total))
        return fused


def _exchange(channels: Sequence[int], source: int, target: int) -> nn.Module:
    """Return what brings branch `source` to the size of branch `target`."""
    if source == target:
        return nn.Identity()
    inputs, outputs = channels[source], channels[target]
    if source > target:
        return nn.Sequential(
            conv1x1(inputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.Upsample(scale_factor=2 ** (source - target), mode="nearest"),
        )
    steps = target - source
    return nn.Sequential(
        *(_halved(inputs, inputs) for _ in range(steps - 1)),
        _halved(inputs, outputs, relu=False),
    )


class HighResolutionNet(nn.Module):
    """HRNet of a given width, up to its pooled feature of 2048."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        c = [width, 2 * width, 4 * width, 8 * width]
        self.conv1 = conv3x3(3, 64, 2)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = conv3x3(64, 64, 2)
        self.bn2 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(
            Bottleneck(64, 64), *(Bottleneck(256, 64) for _ in range(3))
        )
        self.transition1 = nn.ModuleList(
            [
                nn.Sequential(conv3x3(256, c[0]), nn.BatchNorm2d(c[0]), nn.ReLU()),
                nn.Sequential(_halved(256, c[1])),
            ]
        )
        self.stage2 = nn.ModuleList([HighResolutionModule(c[:2])])
        self.transition2 = _another_branch(c[:3])
        self.stage3 = nn.ModuleList(HighResolutionModule(c[:3]) for _ in range(4))
        self.transition3 = _another_branch(c)
        self.stage4 = nn.ModuleList(HighResolutionModule(c) for _ in range(3))
        self.subsample_4 = _subsample(c)
        self.subsample_3 = _subsample(c[1:])
        self.subsample_2 = _subsample(c[2:])
        self.conv_layers = nn.Sequential(
            Bottleneck(4 * c[3], 512, bare_projection=True),
            *(Bottleneck(2048, 512, bare_projection=True) for _ in range(4)),
        )
        self.feature_dim = 2048

    def maps(self, x: Tensor) -> list[Tensor]:
        """Map normalised pictures (B, 3, H, W) to four maps of 1/4 to 1/32 the size."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.layer1(self.relu(self.bn2(self.conv2(y))))
        maps = [transition(y) for transition in self.transition1]
        maps = _through(self.stage2, maps)
        maps = _through(self.stage3, [*maps, self.transition2[-1](maps[-1])])
        return _through(self.stage4, [*maps, self.transition3[-1](maps[-1])])

    def pool(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the four maps to the feature (B, 2048)."""
        fine, middle, coarse, coarsest = maps
        scales = [
            self.subsample_4(fine),
            self.subsample_3(middle),
            self.subsample_2(coarse),
            coarsest,
        ]
        y: Tensor = self.conv_layers(torch.cat(scales, dim=1))
        return y.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised pictures (B, 3, H, W) to features (B, 2048)."""
        return self.pool(self.maps(x))


def _another_branch(channels: Sequence[int]) -> nn.ModuleList:
    """Return the transition that leaves all branches but adds one, half as fine."""
    stay = [nn.Identity() for _ in channels[:-1]]
    new = nn.Sequential(_halved(channels[-2], channels[-1]))
    return nn.ModuleList([*stay, new])


def _through(stage: nn.ModuleList, maps: list[Tensor]) -> list[Tensor]:
    for module in stage:
        maps = module(maps)
    return maps


def _subsample(channels: Sequence[int]) -> nn.Sequential:
    """Return convolutions that halve a map until it has the last of `channels`.

    Unlike all others in the network, they have a bias.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(channels):
        conv = nn.Conv2d(inputs, outputs, 3, 2, 1)
        layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def hrnet_w48() -> HighResolutionNet:
    """Return the paper's body encoder: 109.7 M weights."""
    return HighResolutionNet(48)


def hrnet_w18() -> HighResolutionNet:
    """Return the same structure at less than half the width."""
    return HighResolutionNet(18)
