"""dlib's face recognition ResNet, as face-api carries it for browsers.

A ResNet of 29 convolutions on 150 x 150 faces to 128 numbers (D. King, dlib's
dlib_face_recognition_resnet_model_v1). dlib's author put his weights into the public
domain; face-api, whose conversion is read here, is under the MIT licence.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pixie_runtime.errors import ModelFileError
from pixie_runtime.types import Float32

CHIP_SIZE = 150
"""Side of its pictures in pixels."""

_MEAN = (122.782, 117.001, 104.298)
"""Of the training pictures, RGB, taken off before dividing by 256."""
_STAGES = (
    ("conv32_1", 32, 32, 1),
    ("conv32_2", 32, 32, 1),
    ("conv32_3", 32, 32, 1),
    ("conv64_down", 32, 64, 2),
    ("conv64_1", 64, 64, 1),
    ("conv64_2", 64, 64, 1),
    ("conv64_3", 64, 64, 1),
    ("conv128_down", 64, 128, 2),
    ("conv128_1", 128, 128, 1),
    ("conv128_2", 128, 128, 1),
    ("conv256_down", 128, 256, 2),
    ("conv256_1", 256, 256, 1),
    ("conv256_2", 256, 256, 1),
    ("conv256_down_out", 256, 256, 2),
)
"""Residual blocks: name in the file, channels in and out, stride."""


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a short cut.

    A block of stride 2 convolves without padding, and its short cut is an average over
    squares of two pixels. Where the two have different sizes or numbers of channels,
    the smaller one is continued with zeros.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        padding = 1 if stride == 1 else 0
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(functional.relu(self.conv1(x)))
        if self.stride == 1:
            return functional.relu(y + x)
        short = functional.avg_pool2d(x, 2, 2)
        right = max(short.shape[3], y.shape[3])
        bottom = max(short.shape[2], y.shape[2])
        channels = max(short.shape[1], y.shape[1])
        size = (channels, bottom, right)
        return functional.relu(_continued(y, size) + _continued(short, size))


class DlibFaceNetwork(nn.Module):
    """Aligned faces to vectors whose distances tell people apart."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean = torch.tensor(_MEAN).reshape(1, 3, 1, 1) / 256
        self.register_buffer("mean", mean, persistent=False)
        self.first = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.Sequential(*(_Residual(*sizes) for _, *sizes in _STAGES))
        self.last = nn.Linear(256, 128, bias=False)

    def forward(self, chips: Tensor) -> Tensor:
        """Map RGB faces (B, 3, 150, 150) in [0, 1] to vectors (B, 128).

        dlib calls two faces one person where their vectors are nearer than 0.6.
        """
        x = chips * (255 / 256) - self.mean
        x = functional.max_pool2d(functional.relu(self.first(x)), 3, 2)
        vectors: Tensor = self.last(self.blocks(x).mean((2, 3)))
        return vectors


def dlib_network(tensors: Mapping[str, Float32], where: str) -> DlibFaceNetwork:
    """Return the network that face-api's tensors make; its weights are held still.

    Each convolution is followed by a scale and an offset of every channel, which become
    part of it.

    Args:
        tensors: of `face_recognition_model`, as `shards.read_shards` gives them.
        where: they came from, for errors.

    Raises:
        ModelFileError: tensors are missing, are unknown, or have other shapes.
    """
    network = DlibFaceNetwork()
    found = dict(tensors)
    _fill(network.first, "conv32_down", found, where)
    for (name, *_), block in zip(_STAGES, network.blocks, strict=True):
        assert isinstance(block, _Residual)
        _fill(block.conv1, f"{name}/conv1", found, where)
        _fill(block.conv2, f"{name}/conv2", found, where)
    fc = _take(found, "fc", (256, 128), where)
    network.last.load_state_dict({"weight": torch.from_numpy(fc.T.copy())})
    if found:
        raise _refusal(where, f"{min(found)} is unknown")
    return network.eval().requires_grad_(requires_grad=False)


def _fill(conv: nn.Conv2d, name: str, found: dict[str, Float32], where: str) -> None:
    outputs, inputs, height, width = conv.weight.shape
    kernel = (height, width, inputs, outputs)
    filters = _take(found, f"{name}/conv/filters", kernel, where)
    bias, scale, offset = (
        _take(found, f"{name}/{part}", (outputs,), where)
        for part in ("conv/bias", "scale/weights", "scale/biases")
    )
    weight = np.ascontiguousarray((filters * scale).transpose(3, 2, 0, 1))
    conv.load_state_dict(
        {
            "weight": torch.from_numpy(weight),
            "bias": torch.from_numpy(bias * scale + offset),
        }
    )


def _take(
    found: dict[str, Float32], name: str, shape: tuple[int, ...], where: str
) -> Float32:
    array = found.pop(name, None)
    if array is None:
        raise _refusal(where, f"{name} is missing")
    if array.shape != shape:
        raise _refusal(where, f"{name} is {array.shape} instead of {shape}")
    return array


def _continued(x: Tensor, size: tuple[int, int, int]) -> Tensor:
    more = [wanted - own for wanted, own in zip(size, x.shape[1:], strict=True)]
    return functional.pad(x, (0, more[2], 0, more[1], 0, more[0]))


def _refusal(where: str, problem: str) -> ModelFileError:
    return ModelFileError(
        f"{where} is not face-api's face_recognition_model: {problem}; give the folder "
        "with face_recognition_model-weights_manifest.json and its shards"
    )
