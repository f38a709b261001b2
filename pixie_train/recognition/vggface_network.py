"""ResNet-50 as trained on VGGFace2, which the paper names, out of a user's own file.

Cao et al., VGGFace2, 2018. The weights are licensed and not shipped.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pixie_runtime.errors import ModelFileError
from pixie_train.networks.residual import Bottleneck
from pixie_train.networks.resnet import ResNet, resnet50

FACE_SIZE = 224
"""Side of its pictures in pixels."""

Layout = Literal["caffe", "torchvision"]
"""Where blocks that halve the picture do it: in their first convolution, as the network
that VGGFace2's authors trained in Caffe does, or in the 3x3 one. Both have the same
tensors, so a file does not say which it is."""

_MEAN_BGR = (91.4953, 103.8827, 131.0912)
"""Of VGGFace2's pictures, which the authors' own code takes off."""
_HEADS = ("fc.", "classifier.")
_SHOWN = 4


class VggFaceNetwork(nn.Module):
    """Aligned faces to the pooled feature before the names of 8631 people."""

    mean: Tensor

    def __init__(self, layout: Layout = "caffe") -> None:
        super().__init__()
        mean = torch.tensor(_MEAN_BGR).reshape(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        self.encoder: ResNet = resnet50()
        if layout == "caffe":
            self.encoder.maxpool = nn.MaxPool2d(3, 2, 0, ceil_mode=True)
            for stage in (
                self.encoder.layer2,
                self.encoder.layer3,
                self.encoder.layer4,
            ):
                first = stage[0]
                assert isinstance(first, Bottleneck)
                first.conv1.stride, first.conv2.stride = (2, 2), (1, 1)

    def forward(self, faces: Tensor) -> Tensor:
        """Map RGB faces (B, 3, 224, 224) in [0, 1] to vectors (B, 2048)."""
        vectors: Tensor = self.encoder(faces.flip(1) * 255 - self.mean)
        return vectors


def read_vggface(path: Path, layout: Layout = "caffe") -> VggFaceNetwork:
    """Read a state dict with torchvision's names of a resnet50; its weights are still.

    Args:
        path: what `torch.save(network.state_dict(), path)` wrote; it may lie under the
            key `state_dict`, and `module.` may stand before every name. The classifier
            behind the feature is not needed.
        layout: which of two networks with the same tensors it is.

    Raises:
        ModelFileError: the file cannot be read, holds more than tensors, or is not
            whole.
    """
    found = _read(path)
    network = VggFaceNetwork(layout)
    expected = network.encoder.state_dict()
    counters = {key for key in expected if key.endswith("num_batches_tracked")}
    problems = [
        f"{key} is missing" for key in expected.keys() - counters - found.keys()
    ]
    problems += [
        f"{key} is unknown"
        for key in found.keys() - expected.keys()
        if not key.startswith(_HEADS)
    ]
    for key in (expected.keys() & found.keys()) - counters:
        tensor, shape = found[key], tuple(expected[key].shape)
        if not isinstance(tensor, Tensor) or tuple(tensor.shape) != shape:
            problems.append(f"{key} is {_described(tensor)} instead of {shape}")
        elif not bool(tensor.isfinite().all()):
            problems.append(f"{key} has values that are not finite")
    if problems:
        shown = ", ".join(sorted(problems)[:_SHOWN])
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ModelFileError(
            f"{path} is not a ResNet-50 with torchvision's names: {shown}{more}; "
            "convert the VGGFace2 network to such a state dict"
        )
    network.encoder.load_state_dict(
        {key: found.get(key, own) for key, own in expected.items()}
    )
    return network.eval().requires_grad_(requires_grad=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelFileError(
            f"there is no face recognition network {path}; check the path"
        ) from None
    except Exception as error:
        raise ModelFileError(
            f"{path} cannot be read ({type(error).__name__}): it is cut short, of "
            "another kind, or holds more than tensors; expected the state dict of a "
            "ResNet-50"
        ) from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise ModelFileError(
            f"{path} holds a {type(content).__name__}; expected the state dict of a "
            "ResNet-50"
        )
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def _described(value: Any) -> str:
    return (
        str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__
    )
