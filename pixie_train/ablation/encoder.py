"""An encoder for crops of 64 to 96 pixels that costs little on a processor.

The encoders of `networks.image_encoder` average their last map over the picture, and
learned nothing in the time that an ablation has. This one is cheaper and keeps the
places: its last map, a sixteenth of the crop's side, is laid out as a vector.
"""

from torch import Tensor, nn

from pixie_train.ablation.plan import AblationPlan
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.beginning import begin_upright

_LAYERS = ((64, 4, 4), (96, 3, 2), (128, 3, 2))
"""Channels, size and stride of each convolution: patches of 4 pixels first, because
fine maps are what takes time."""


class SmallEncoder(nn.Module):
    """Three convolutions and one linear layer."""

    def __init__(self, side: int, feature_dim: int) -> None:
        """Make an encoder of crops of `side` pixels, a multiple of 16."""
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for outputs, size, stride in _LAYERS:
            conv = nn.Conv2d(inputs, outputs, size, stride, size % 2, bias=False)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        last = inputs * (side // 16) ** 2
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(last, feature_dim))

    def forward(self, image: Tensor) -> Tensor:
        """Map RGB crops (B, 3, side, side) in [0, 1] to features (B, D)."""
        feature: Tensor = self.layers(image * 4 - 2)
        return feature


def small_pixie(plan: AblationPlan) -> ImagePixie:
    """Return an untrained PIXIE with such encoders."""
    network = ImagePixie(plan.network)
    D = plan.network.core.feature_dim
    sides = {"body": plan.body_px, "head": plan.part_px, "hand": plan.part_px}
    for name, side in sides.items():
        network.add_module(f"encode_{name}", SmallEncoder(side, D))
    # From upside down, rotations' distance is flat and little is learned.
    begin_upright(network)
    return network
