"""PIXIE as in the paper: pictures of body, head and hands to SMPL-X parameters."""

from dataclasses import dataclass

from torch import Tensor, nn

from pixie_train.config import ImageConfig
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.hrnet import HighResolutionNet
from pixie_train.networks.image_encoder import ImageEncoder
from pixie_train.networks.pixie import Features, PartFeatures, PixieCore, PixieOutput


@dataclass(frozen=True, eq=False)
class ImageCrops:
    """Pictures of B people: RGB in [0, 1], (B, 3, 224, 224) each."""

    body: Tensor
    head: Tensor
    hands: Tensor
    """(B, 2, 3, 224, 224): the left hand mirrored, the right one as it is."""
    present: Tensor
    """(B, 3), 1 where head, left hand, right hand can be seen, else 0."""


@dataclass(frozen=True, eq=False)
class ImagePixieOutput:
    """One forward pass."""

    pixie: PixieOutput
    params: DecodedParams
    """The fused regression, decoded; axes of a camera that looks at the body."""


class ImagePixie(nn.Module):
    """Three experts' encoders before the core that the landmark variant shares."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config
        D = config.core.feature_dim
        self.encode_body = ImageEncoder(config.body_encoder, D)
        self.encode_head = ImageEncoder(config.head_encoder, D)
        self.encode_hand = ImageEncoder(config.hand_encoder, D)
        self.core = PixieCore(config.core)

    def encode(self, crops: ImageCrops) -> Features:
        """Return F_b, F_f and F_h; both hands go through one encoder as one batch."""
        hands = self.encode_hand(crops.hands.flatten(0, 1))
        return Features(
            body=self.encode_body(crops.body),
            parts=PartFeatures(
                self.encode_head(crops.head), hands.reshape(-1, 2, hands.shape[-1])
            ),
            present=crops.present,
        )

    def forward(
        self, crops: ImageCrops, rules: Tensor | None = None
    ) -> ImagePixieOutput:
        """Regress a batch.

        Args:
            crops: pictures, known where to cut (spec: pixie-network, section 8).
            rules: `FusionRules.row` of each person, (B, 4); None: the paper's fusion
                without a head check, as in training.
        """
        pixie = self.core(self.encode(crops), rules)
        check = None if rules is None else rules[:, 3]
        return ImagePixieOutput(pixie, decode(pixie.fused, check))


def feature_and_maps(encoder: ImageEncoder, image: Tensor) -> tuple[Tensor, ...]:
    """Return the features of pictures (B, 3, 224, 224) and HRNet's maps, if it is one.

    The maps are finest first, (B, C, 56, 56) to (B, 8 C, 7, 7).
    """
    backbone = encoder.encoder
    if not isinstance(backbone, HighResolutionNet):
        return (encoder(image),)
    maps = backbone.maps(encoder.normalise(image))
    return (backbone.pool(maps), *maps)
