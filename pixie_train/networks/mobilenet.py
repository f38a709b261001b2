"""MobileNetV4-Conv-Small (Qin et al. 2024, table 11): an encoder for CPUs.

Inverted bottlenecks whose depthwise convolutions may stand before the expansion, in
the middle, at both places or nowhere ("universal inverted bottleneck"); plain ReLU and
no attention, so that it is as fast in integers.
"""

from typing import NamedTuple

from torch import Tensor, nn


class _Block(NamedTuple):
    """One universal inverted bottleneck."""

    first: int
    """Size of the depthwise convolution before the expansion; 0: none."""
    middle: int
    """Size of the one within it; 0: none."""
    stride: int
    expansion: float
    outputs: int


_BLOCKS = (
    _Block(5, 5, 2, 3.0, 96),
    _Block(0, 3, 1, 2.0, 96),
    _Block(0, 3, 1, 2.0, 96),
    _Block(0, 3, 1, 2.0, 96),
    _Block(0, 3, 1, 2.0, 96),
    _Block(3, 0, 1, 4.0, 96),
    _Block(3, 3, 2, 6.0, 128),
    _Block(5, 5, 1, 4.0, 128),
    _Block(0, 5, 1, 4.0, 128),
    _Block(0, 5, 1, 3.0, 128),
    _Block(0, 3, 1, 4.0, 128),
    _Block(0, 3, 1, 4.0, 128),
)


def _conv(
    inputs: int,
    outputs: int,
    size: int,
    stride: int = 1,
    *,
    depthwise: bool = False,
    relu: bool = True,
) -> list[nn.Module]:
    groups = inputs if depthwise else 1
    conv = nn.Conv2d(
        inputs, outputs, size, stride, size // 2, groups=groups, bias=False
    )
    return [conv, nn.BatchNorm2d(outputs), *([nn.ReLU()] if relu else [])]


class InvertedBottleneck(nn.Module):
    """Widen, look around channel by channel, narrow; beside a short cut."""

    def __init__(self, inputs: int, block: _Block) -> None:
        super().__init__()
        wide = int(inputs * block.expansion)
        layers: list[nn.Module] = []
        if block.first:
            stride = 1 if block.middle else block.stride
            layers += _conv(
                inputs, inputs, block.first, stride, depthwise=True, relu=False
            )
        layers += _conv(inputs, wide, 1)
        if block.middle:
            layers += _conv(wide, wide, block.middle, block.stride, depthwise=True)
        layers += _conv(wide, block.outputs, 1, relu=False)
        self.layers = nn.Sequential(*layers)
        self.short_cut = block.stride == 1 and inputs == block.outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.short_cut else y


class MobileNetV4(nn.Module):
    """MobileNetV4-Conv-Small up to its pooled feature of 960."""

    def __init__(self) -> None:
        super().__init__()
        layers = [*_conv(3, 32, 3, 2), *_conv(32, 32, 3, 2), *_conv(32, 32, 1)]
        layers += [*_conv(32, 96, 3, 2), *_conv(96, 64, 1)]
        channels = 64
        for block in _BLOCKS:
            layers.append(InvertedBottleneck(channels, block))
            channels = block.outputs
        self.layers = nn.Sequential(*layers, *_conv(channels, 960, 1))
        self.feature_dim = 960

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised pictures (B, 3, H, W) to features (B, 960)."""
        y: Tensor = self.layers(x)
        return y.mean((2, 3))
