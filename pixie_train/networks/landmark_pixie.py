"""The landmark variant of PIXIE: landmark encoders before the paper's own core."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixie_train.config import LandmarkConfig
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.landmark_encoder import LandmarkEncoder
from pixie_train.networks.landmark_inputs import (
    BODY_INPUTS,
    HAND_INPUTS,
    HEAD_INPUTS,
    EncoderInputs,
    LandmarkBatch,
    normalise,
)
from pixie_train.networks.pixie import Features, PartFeatures, PixieCore, PixieOutput


@dataclass(frozen=True, eq=False)
class LandmarkPixieOutput:
    """One forward pass, in the axes of the crop camera."""

    inputs: EncoderInputs
    pixie: PixieOutput
    params: DecodedParams
    """The fused regression, decoded."""


class LandmarkPixie(nn.Module):
    """Landmarks of a person to SMPL-X parameters."""

    def __init__(self, config: LandmarkConfig) -> None:
        super().__init__()
        self.config = config
        self.encode_body = LandmarkEncoder(
            BODY_INPUTS,
            width=config.body_width,
            blocks=config.body_blocks,
            feature_dim=config.core.feature_dim,
        )
        self.encode_head, self.encode_hand = (
            LandmarkEncoder(
                inputs,
                width=config.part_width,
                blocks=config.part_blocks,
                feature_dim=config.core.feature_dim,
            )
            for inputs in (HEAD_INPUTS, HAND_INPUTS)
        )
        self.core = PixieCore(config.core)

    def forward(self, landmarks: LandmarkBatch) -> LandmarkPixieOutput:
        """Regress a batch; both hands go through one encoder as one batch."""
        inputs = normalise(landmarks)
        parts = PartFeatures(
            self.encode_head(inputs.head), self.encode_hand(inputs.hands)
        )
        features = Features(
            body=self.encode_body(inputs.body),
            parts=parts,
            present=landmarks.present[:, [3, 1, 2]],
        )
        pixie = self.core(features)
        return LandmarkPixieOutput(inputs, pixie, decode(pixie.fused))


def to_camera(params: DecodedParams, inputs: EncoderInputs) -> Tensor:
    """Return the rotations (B, 55, 3, 3) with the root in the camera's axes."""
    root = inputs.R_crop_camera.transpose(-1, -2) @ params.rotations[:, 0]
    return torch.cat([root[:, None], params.rotations[:, 1:]], dim=1)
