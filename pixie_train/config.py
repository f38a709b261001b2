"""What a training run is made of, as nested frozen dataclasses.

`pixie-train` builds its options and their help from these fields; every run stores
them beside its checkpoints.
"""

from dataclasses import dataclass, field
from typing import Literal

EncoderName = Literal[
    "hrnet_w48",
    "hrnet_w18",
    "resnet50",
    "resnet18",
    "repvgg_a0",
    "mobilenet_v4_small",
]
"""Picture encoders: `networks.image_encoder` makes them."""


@dataclass(frozen=True)
class CoreConfig:
    """Sizes of what every PIXIE has: extractors, moderators, regressors.

    The defaults are the paper's network as it was released (spec: pixie-network,
    section 3).
    """

    feature_dim: int = 2048
    """Length D of F_b, F_f and F_h."""
    regressor_width: int = 1024
    """Width of the regressors' hidden layers."""
    body_regressor_layers: int = 1
    """Hidden layers of R_b."""
    part_regressor_layers: int = 2
    """Hidden layers of the regressors that body and parts share."""
    moderator_width: int = 1024
    """Width of the moderators' hidden layers."""
    moderator_layers: int = 2
    """Hidden layers of the moderators."""
    n_betas: int = 200
    """Shape coefficients regressed."""
    n_expression: int = 50
    """Expression coefficients regressed."""
    n_texture: int = 50
    """Albedo coefficients regressed; with 0 the part experts have no regressors of
    their own, which give their crops' cameras, texture and light."""


@dataclass(frozen=True)
class ImageConfig:
    """PIXIE on pictures. The defaults are the paper's network."""

    body_encoder: EncoderName = "hrnet_w48"
    """Encoder of the body's picture."""
    head_encoder: EncoderName = "resnet50"
    """Encoder of the head's picture."""
    hand_encoder: EncoderName = "resnet50"
    """Encoder of right hands' pictures, and mirrored left hands'."""
    core: CoreConfig = field(default_factory=CoreConfig)
    """Sizes of the rest."""


@dataclass(frozen=True)
class LandmarkConfig:
    """PIXIE on landmarks."""

    body_width: int = 448
    """Width of the body encoder's hidden layers."""
    part_width: int = 256
    """Width of the head and hand encoders' hidden layers."""
    body_blocks: int = 2
    """Residual blocks in the body encoder."""
    part_blocks: int = 1
    """Residual blocks in the head and hand encoders."""
    core: CoreConfig = field(
        default_factory=lambda: CoreConfig(
            feature_dim=256,
            regressor_width=352,
            part_regressor_layers=1,
            moderator_width=128,
            moderator_layers=1,
            n_betas=16,  # landmarks say nothing of finer ones
            n_expression=43,
            n_texture=0,
        )
    )
    """Sizes of the rest."""


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term; positions in metres, rotations as matrix entries."""

    joints: float = 20.0
    """L1 on 3D joints relative to the pelvis."""
    hands: float = 40.0
    """L1 on finger joints and tips relative to the wrist."""
    landmarks: float = 4.0
    """L1 on the projected body landmarks, in crop sizes."""
    rotations: float = 1.0
    """Squared error of the parent-relative rotation matrices."""
    root: float = 2.0
    """Squared error of absolute root, head and wrist rotations."""
    betas: float = 0.1
    """Squared error of shape coefficients."""
    expression: float = 0.05
    """Squared error of expression coefficients."""
    face: float = 100.0
    """L1 on face points in the head's frame."""
    jaw: float = 2.0
    """Squared error of the jaw's rotation matrix."""
    update: float = 0.02
    """L1 between a part's body-derived and fused feature (paper's L_update)."""
    experts: float = 0.5
    """Factor on the losses of body-only and part-only outputs."""


@dataclass(frozen=True)
class TrainConfig:
    """One run of `pixie-train landmark`."""

    steps: int = 10_000
    """Optimiser steps; the learning rate decays to zero over them."""
    batch: int = 512
    """Synthetic people a step."""
    learning_rate: float = 1.5e-3
    """Peak learning rate of AdamW, after warm-up."""
    warm_up_steps: int = 300
    """Steps over which the learning rate rises from zero."""
    weight_decay: float = 1e-4
    """AdamW's decoupled weight decay."""
    ema_decay: float = 0.999
    """Decay of the averaged weights that are evaluated and exported."""
    seed: int = 0
    """Seed of weights and data; the same seed and threads give the same run."""
    threads: int = 1
    """CPU threads of the network; the next batch is made by one more."""
    checkpoint_every: int = 500
    """Steps between checkpoints; an interrupted run resumes from the last."""
    network: LandmarkConfig = field(default_factory=LandmarkConfig)
    """Sizes of the network."""
    losses: LossWeights = field(default_factory=LossWeights)
    """Weights of the loss terms."""
