"""Batch normalisation over the samples of all processes.

Encoders are normalised over a step's whole batch, in one process or in several:
halves of a batch that are normalised by themselves would train other networks. torch's
`SyncBatchNorm` does that on CUDA cards and nowhere else, `SharedBatchNorm2d` on any
device.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pixie_train.processes import Processes

_AXES = [0, 2, 3]


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Normalises by mean and variance over all processes; every one must call it.

    Ioffe and Szegedy 2015; gradients run through the statistics of all processes.
    """

    def __init__(self, like: nn.BatchNorm2d) -> None:
        """Take over a layer's very parameters and running statistics."""
        super().__init__(like.num_features, like.eps, like.momentum)
        self.weight, self.bias = like.weight, like.bias
        for name, buffer in like.named_buffers():
            self.register_buffer(name, buffer)
        self.train(like.training)

    def forward(self, input: Tensor) -> Tensor:
        """Return (B, C, H, W) normalised; in evaluation mode as ever."""
        if not self.training:
            return super().forward(input)
        normalised, mean, variance, count = _Normalised.apply(  # type: ignore[no-untyped-call]
            # Statistics are no matter for half precision.
            input.float() if input.itemsize < 4 else input,
            self.weight,
            self.bias,
            self.eps,
        )
        assert self.momentum is not None
        with torch.no_grad():
            self.get_buffer("running_mean").lerp_(mean, self.momentum)
            unbiased = variance * count / (count - 1)
            self.get_buffer("running_var").lerp_(unbiased, self.momentum)
            self.get_buffer("num_batches_tracked").add_(1)
        result: Tensor = normalised.to(input.dtype)
        return result


class _Normalised(torch.autograd.Function):
    """x, gain, shift, epsilon to (x - mean) / deviation * gain + shift, and statistics.

    One exchange on the way there, one on the way back.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gain: Tensor, shift: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mine, average = torch.var_mean(x, _AXES, correction=0)
        size = x.new_tensor([x.numel() / x.shape[1]])
        told = torch.cat([average, mine, size])
        all_told = [torch.empty_like(told) for _ in range(dist.get_world_size())]
        dist.all_gather(all_told, told)
        table, channels = torch.stack(all_told), x.shape[1]
        means, variances = table[:, :channels], table[:, channels:-1]
        sizes = table[:, -1:]
        count = sizes.sum()
        mean = (sizes * means).sum(0) / count
        variance = (sizes * (variances + (means - mean).square())).sum(0) / count
        rate = (variance + eps).rsqrt()
        ctx.save_for_backward(x, gain, mean, rate, count)
        ctx.mark_non_differentiable(mean, variance, count)
        scaled = (x - _over(mean)) * _over(rate * gain) + _over(shift)
        return scaled, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, gain, mean, rate, count = ctx.saved_tensors
        gradient = gradients[0]
        normal = (x - _over(mean)) * _over(rate)
        of_shift = gradient.sum(_AXES)
        of_gain = (gradient * normal).sum(_AXES)
        everywhere = torch.cat([of_shift, of_gain])
        dist.all_reduce(everywhere)
        by_mean, by_variance = (everywhere / count).chunk(2)
        moved = gradient - _over(by_mean) - normal * _over(by_variance)
        return moved * _over(rate * gain), of_gain, of_shift, None


def _over(channels: Tensor) -> Tensor:
    return channels[:, None, None]


@contextmanager
def normalised_together(network: nn.Module, processes: Processes) -> Iterator[None]:
    """Let a network be normalised over all processes inside; it is as before after.

    Its parameters and running statistics stay the very tensors that they were.
    """
    changed: list[tuple[nn.Module, str, nn.Module]] = []
    if processes.world > 1:
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.BatchNorm2d):
                    changed.append((parent, name, child))
                    setattr(parent, name, _shared(child))
    try:
        yield
    finally:
        for parent, name, child in changed:
            # The other was in one mode with it all along.
            child.train(getattr(parent, name).training)
            setattr(parent, name, child)


def _shared(layer: nn.BatchNorm2d) -> nn.Module:
    if layer.running_mean is not None and layer.running_mean.is_cuda:
        convert: Callable[[nn.Module], nn.Module] = (
            nn.SyncBatchNorm.convert_sync_batchnorm
        )
        return convert(layer)
    return SharedBatchNorm2d(layer)
