"""ResNet: the paper's encoder of heads and hands (50), and a small one (18).

Spec: pixie-network, section 2.1; key names as in the official checkpoint.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from pixie_train.networks.residual import BasicBlock, Bottleneck


class ResNet(nn.Module):
    """ResNet v1.5 up to its pooled feature."""

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], depths: Sequence[int]
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self._channels = 64
        self.layer1 = self._stage(block, 64, depths[0], 1)
        self.layer2 = self._stage(block, 128, depths[1], 2)
        self.layer3 = self._stage(block, 256, depths[2], 2)
        self.layer4 = self._stage(block, 512, depths[3], 2)
        self.feature_dim = self._channels

    def _stage(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        width: int,
        depth: int,
        stride: int,
    ) -> nn.Sequential:
        blocks = []
        for index in range(depth):
            blocks.append(block(self._channels, width, stride if index == 0 else 1))
            self._channels = width * block.expansion
        return nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised pictures (B, 3, H, W) to features (B, feature_dim)."""
        y = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        y = self.layer4(self.layer3(self.layer2(self.layer1(y))))
        feature: Tensor = y.mean((2, 3))
        return feature


def resnet18() -> ResNet:
    """Return ResNet-18: 11.2 M weights, 512 features."""
    return ResNet(BasicBlock, (2, 2, 2, 2))


def resnet50() -> ResNet:
    """Return ResNet-50: 23.5 M weights, 2048 features."""
    return ResNet(Bottleneck, (3, 4, 6, 3))
