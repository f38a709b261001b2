"""What a distillation is made of."""

from dataclasses import dataclass, field

from pixie_runtime.errors import UsageError
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.distillation.augmentation import StudentAugmentation
from pixie_train.losses.weights import TermWeights
from pixie_train.picture_training.config import Optimisation

DISTIL_WEIGHTS = TermWeights(
    body_2d=1.0,
    body_3d=1.0,
    body_pose=10.0,
    root_pose=5.0,
    betas=0.1,
    hand_2d=0.2,
    hand_3d=1.0,
    wrist_pose=4.0,
    finger_pose=5.0,
    face_2d=0.3,
    eyelids=1.0,
    lips=0.5,
    head_pose=4.0,
    jaw_pose=2.0,
    expression=0.1,
)
"""Rotations first: a teacher says all of them, and its shape and expression. A term of
pose is a mean over joints, so that with the trainer's weights each joint's own error
counts less than the key points that it moves; a student then bends joints and swells
betas to make up for a root that is not turned yet (docs/distillation.md)."""


@dataclass(frozen=True)
class DistilLosses:
    """What counts how much."""

    terms: TermWeights = field(default_factory=lambda: DISTIL_WEIGHTS)
    """The student's fused people against the teacher's: rotations, coefficients, and
    key points of the posed bodies in space and in the picture."""
    body_only: float = 0.3
    """Factor on the same of what the body's feature says alone, which is where parts
    are looked for before they are found (`--attention two-pass`)."""
    part_only: float = 0.5
    """Factor on the same of what the parts' own features say of the parts: in live use
    expression and fingers are theirs."""
    features: float = 0.1
    """Squared distance to the teacher's features, over their spread, through a linear
    layer where the lengths differ; 0: not compared."""
    moderators: float = 0.5
    """L1 distance to the teacher's moderators' weights."""

    def __post_init__(self) -> None:
        """Refuse weights that turn a loss round."""
        for name in ("body_only", "part_only", "features", "moderators"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise UsageError(f"losses.{name} is {value}; expected 0 or more")


def _student() -> ImageConfig:
    return ImageConfig(
        body_encoder="resnet18",
        head_encoder="mobilenet_v4_small",
        hand_encoder="mobilenet_v4_small",
        core=CoreConfig(
            feature_dim=512,
            regressor_width=512,
            moderator_width=256,
            n_texture=0,
        ),
    )


@dataclass(frozen=True)
class DistilConfig:
    """One run of `pixie-train distil`; a resumed run must have the same."""

    steps: int = 20_000
    """Optimiser steps; the learning rate decays to zero over them."""
    batch: int = 32
    """Lessons a step."""
    crop_size: int = 224
    """Side of the student's crops in pixels: its time goes with the square of it."""
    held_out: float = 0.1
    """Share of the lessons, the last ones, that only tell how well it goes."""
    seed: int = 0
    """Of weights, order and augmentation."""
    checkpoint_every: int = 500
    """Steps between checkpoints; an interrupted run resumes from the last."""
    log_every: int = 50
    """Steps between rows of the log."""
    optimisation: Optimisation = field(
        default_factory=lambda: Optimisation(learning_rate=3e-4)
    )
    """How weights move; imitating stands three times the rate of the trainer's."""
    student: ImageConfig = field(default_factory=_student)
    """The network; it has as many shape and expression coefficients as the teacher, and
    no albedo, whatever is said here."""
    losses: DistilLosses = field(default_factory=DistilLosses)
    augmentation: StudentAugmentation = field(default_factory=StudentAugmentation)

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        for name in ("steps", "batch", "checkpoint_every", "log_every"):
            if getattr(self, name) < 1:
                raise UsageError(
                    f"{name} is {getattr(self, name)}; expected at least 1"
                )
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}; expected 0 or more")
        if not 32 <= self.crop_size <= 1024:
            raise UsageError(f"crop_size is {self.crop_size}; expected 32 to 1024")
        if not 0 < self.held_out < 1:
            raise UsageError(f"held_out is {self.held_out}; expected above 0, below 1")
