"""Picture encoders E_b, E_f, E_h: any backbone, one interface."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pixie_runtime.errors import UsageError
from pixie_train.networks.hrnet import hrnet_w18, hrnet_w48
from pixie_train.networks.mobilenet import MobileNetV4
from pixie_train.networks.repvgg import RepVgg
from pixie_train.networks.resnet import resnet18, resnet50

BACKBONES: dict[str, Callable[[], nn.Module]] = {
    "hrnet_w48": hrnet_w48,
    "hrnet_w18": hrnet_w18,
    "resnet50": resnet50,
    "resnet18": resnet18,
    "repvgg_a0": RepVgg,
    "mobilenet_v4_small": MobileNetV4,
}
"""By name: networks from normalised pictures (B, 3, H, W) to (B, their feature_dim)."""

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageEncoder(nn.Module):
    """Normalises pictures and encodes them into one feature each.

    A backbone whose feature is not of the wanted length is followed by one linear
    layer. Names as in the official checkpoint: `encoder.*`, `MEAN`, `STD`.
    """

    MEAN: Tensor
    STD: Tensor

    def __init__(self, backbone: str, feature_dim: int) -> None:
        """Make an encoder with random weights.

        Raises:
            UsageError: there is no such backbone.
        """
        super().__init__()
        if backbone not in BACKBONES:
            raise UsageError(
                f"there is no encoder {backbone!r}; known are {', '.join(BACKBONES)}"
            )
        self.encoder = BACKBONES[backbone]()
        found = self.encoder.feature_dim
        assert isinstance(found, int)
        self.project = None if found == feature_dim else nn.Linear(found, feature_dim)
        for name, values in (("MEAN", _IMAGENET_MEAN), ("STD", _IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1))

    def normalise(self, image: Tensor) -> Tensor:
        """Bring RGB pictures (B, 3, H, W) in [0, 1] to what backbones expect."""
        return (image - self.MEAN) / self.STD

    def forward(self, image: Tensor) -> Tensor:
        """Map RGB pictures (B, 3, 224, 224) in [0, 1] to features (B, D)."""
        feature: Tensor = self.encoder(self.normalise(image))
        return feature if self.project is None else self.project(feature)
