"""RepVGG-A0 (Ding et al. 2021, tables 2 and 3): an encoder that runs as a plain chain.

While it learns, every layer is three branches: a 3x3 convolution, a 1x1 convolution
and, where shapes allow, nothing at all, each with its batch norm. All are linear, so
that afterwards they are one 3x3 convolution (section 3.3): nothing but convolution and
ReLU, which processors do best, above all in integers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

_WIDTHS = (48, 48, 96, 192, 1280)
_DEPTHS = (1, 2, 4, 14, 1)


class Branch(nn.Sequential):
    """A convolution without bias and its batch norm."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int) -> None:
        conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs))


class RepVggBlock(nn.Module):
    """Parallel branches and a ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.wide = Branch(inputs, outputs, 3, stride)
        self.narrow = Branch(inputs, outputs, 1, stride)
        same = inputs == outputs and stride == 1
        self.identity = nn.BatchNorm2d(inputs) if same else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        y: Tensor = self.wide(x) + self.narrow(x)
        if self.identity is not None:
            y = y + self.identity(x)
        return functional.relu(y)

    @torch.no_grad()
    def merged(self) -> nn.Sequential:
        """Return one convolution and a ReLU that compute the same in evaluation."""
        wide, narrow = self.wide[0], self.narrow[0]
        assert isinstance(wide, nn.Conv2d)
        assert isinstance(narrow, nn.Conv2d)
        branches = [
            (wide.weight, self.wide[1]),
            (_centred(narrow.weight), self.narrow[1]),
        ]
        if self.identity is not None:
            eye = torch.eye(wide.in_channels, device=wide.weight.device)
            branches.append((_centred(eye[:, :, None, None]), self.identity))
        merged = nn.Conv2d(
            wide.in_channels, wide.out_channels, 3, self.stride, 1, bias=True
        ).to(wide.weight)
        folded = [_folded(weight, norm) for weight, norm in branches]
        merged.weight.copy_(torch.stack([weight for weight, _ in folded]).sum(0))
        assert merged.bias is not None
        merged.bias.copy_(torch.stack([bias for _, bias in folded]).sum(0))
        return nn.Sequential(merged, nn.ReLU())


def _centred(weight: Tensor) -> Tensor:
    """Return a 1x1 kernel as a 3x3 one."""
    return functional.pad(weight, (1, 1, 1, 1))


def _folded(weight: Tensor, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution with its batch norm in it."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = norm.bias - norm.running_mean * scale
    return weight * scale[:, None, None, None], bias


def merge_branches(module: nn.Module) -> None:
    """Replace every `RepVggBlock` within `module` by its merged form, in place."""
    for name, child in module.named_children():
        if isinstance(child, RepVggBlock):
            setattr(module, name, child.merged())
        else:
            merge_branches(child)


class RepVgg(nn.Module):
    """RepVGG-A0 up to its pooled feature of 1280."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        channels = 3
        for width, depth in zip(_WIDTHS, _DEPTHS, strict=True):
            for index in range(depth):
                blocks.append(RepVggBlock(channels, width, 2 if index == 0 else 1))
                channels = width
        self.layers = nn.Sequential(*blocks)
        self.feature_dim = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised pictures (B, 3, H, W) to features (B, 1280)."""
        y: Tensor = self.layers(x)
        return y.mean((2, 3))
