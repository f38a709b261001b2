"""What a run of `pixie-train detail` is made of, as nested frozen dataclasses."""

from dataclasses import dataclass, field

from pixie_runtime.errors import UsageError
from pixie_train.batch import CROP_SIZE
from pixie_train.detail.config import DetailConfig
from pixie_train.detail.losses import DetailWeights
from pixie_train.picture_training.config import Precision


@dataclass(frozen=True)
class HeadPictures:
    """The synthetic heads of a run."""

    count: int = 4000
    """Heads trained on; they are drawn before the first step and kept in memory."""
    held_out: int = 64
    """Other people's heads, with which the displacement is compared."""
    size: int = 400
    """Side of the drawn pictures in pixels, 2.8 times as wide as a face's points."""
    wrinkles: float = 1.0
    """How deep wrinkles are drawn; 1: as on aged skin."""
    crop_size: int = CROP_SIZE
    """Side of the crops in pixels."""
    head_scale: float = 1.6
    """Side of a crop over the extent of the face's points: DECA's crops are 1.4 to 1.8,
    nearer than PIXIE's, as wrinkles are small."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.count < 2 or self.held_out < 1 or not 32 <= self.crop_size <= 1024:
            raise UsageError(
                f"{self.count} heads, {self.held_out} held out, at {self.crop_size} "
                "pixels were asked for; expected at least 2, at least 1, and 32 to 1024"
            )
        if not 1 <= self.head_scale <= 2.5:
            raise UsageError(
                f"head_scale is {self.head_scale}; expected 1 to 2.5, which lie inside "
                "the drawn pictures"
            )


@dataclass(frozen=True)
class DetailRun:
    """One run of `pixie-train detail`: the coarse network is frozen."""

    steps: int = 10_000
    """Optimiser steps; the learning rate falls to zero over them."""
    batch: int = 8
    """Heads a step."""
    learning_rate: float = 1e-4
    """Peak learning rate of Adam: DECA's."""
    clip: float = 1.0
    """Largest norm of a step's gradient."""
    colour_blur: float = 0.035
    """Width of the blur behind a pixel's colour, over the crop's side: shading finer
    than this is taken for detail."""
    ema_decay: float = 0.999
    """Decay of the averaged weights, which are compared and used; 0: the last ones."""
    precision: Precision = "no"
    """Half precision in the network; what is drawn and compared stays in float32."""
    seed: int = 0
    """Of weights and data; the same seed and threads give the same run."""
    memory_mb: int = 2000
    """What is found of the frozen coarse faces is remembered up to this much."""
    checkpoint_every: int = 200
    """Steps between checkpoints, at which held-out heads are looked at."""
    pictures: HeadPictures = field(default_factory=HeadPictures)
    """What is trained on."""
    network: DetailConfig = field(default_factory=DetailConfig)
    """Sizes of the network."""
    weights: DetailWeights = field(default_factory=DetailWeights)
    """Weights of the loss terms."""

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if min(self.steps, self.checkpoint_every) < 1 or self.batch < 2:
            raise UsageError(
                f"steps {self.steps}, checkpoint_every {self.checkpoint_every} and "
                f"batch {self.batch} were asked for; expected 1 or more, and 2 or more "
                "heads a step, as batch normalisation needs"
            )
        if not 0 <= self.ema_decay < 1:
            raise UsageError(f"ema_decay is {self.ema_decay}; expected 0 to below 1")
        if self.learning_rate <= 0 or self.clip <= 0 or not 0 < self.colour_blur < 0.5:
            raise UsageError(
                f"learning_rate {self.learning_rate}, clip {self.clip} and colour_blur "
                f"{self.colour_blur} were asked for; expected positive numbers, the "
                "blur below 0.5"
            )
