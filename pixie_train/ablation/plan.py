"""What an ablation consists of: pictures, networks, steps, seeds."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.config import CoreConfig
from pixie_train.data.pictures.config import PictureConfig

TRAINING_SEED, TUNING_SEED, REPORT_SEED = 11, 12, 13
"""Of the people who are trained with, chosen by, and reported on: nobody is in two."""


@dataclass(frozen=True)
class Counts:
    """How many pictures."""

    bodies: int = 8000
    """Whole people to train with."""
    heads: int = 2500
    """Heads to train with."""
    hands: int = 4000
    """Hands to train with."""
    held_out: int = 800
    """Whole people to measure with; half as many others to choose by."""
    views: int = 2
    """Crops that are made of each training picture, every time degraded otherwise."""


@dataclass(frozen=True)
class Steps:
    """Optimiser steps of each piece of training."""

    experts: int = 4000
    """The three experts alone, side by side."""
    shape: int = 1500
    """Each of the two trainings that differ in the shape loss."""
    whole: int = 2500
    """Each of the two trainings end to end."""
    batch: int = 64
    """Bodies a step; hands likewise, heads half as many."""
    learning_rate: float = 1e-3
    """Peak of AdamW's, in the experts' training."""
    whole_learning_rate: float = 5e-4
    """Peak of the pieces that start from the experts."""


@dataclass(frozen=True)
class AblationPlan:
    """One ablation."""

    seeds: int = 3
    """How often everything is trained, from other weights and in another order."""
    picture_size: int = 448
    """Side of a body's picture; the parts are cut out of it."""
    part_picture_size: int = 288
    """Side of the pictures of heads and hands alone."""
    upright: bool = True
    """Whether only people who stand upright and turn towards the camera are taken, half
    of those that are drawn. Cartwheels and backs take longer trainings than these."""
    encoder_width: int = 384
    """Width of the encoders of what was seen."""
    encoder_blocks: int = 2
    """Residual blocks in each."""
    noise: float = 0.1
    """Standard deviation of what is added to what was seen, in training, in its own
    standard deviations."""
    shown_noise: float = 0.7
    """The same of outlines and pictures of heads, whose pixels are many for so few
    people: with as little noise as landmarks they are learned by heart."""
    outlines: bool = False
    """Whether experts see bodies' outlines and heads as they are, beside what landmark
    networks say (`outline`)."""
    shape_prior: float = 0.01
    """Weight of equation (16), gendered or not, in every training of whole people and
    of heads alone."""
    n_betas: int = 20
    """Shape coefficients regressed. Truth has all of the model's."""
    counts: Counts = field(default_factory=Counts)
    """How many pictures."""
    steps: Steps = field(default_factory=Steps)
    """How long everything is trained."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained or measured."""
        numbers = {**asdict(self.counts), **asdict(self.steps), "seeds": self.seeds}
        for name, number in numbers.items():
            if number <= 0:
                raise UsageError(f"{name} is {number}; expected more than 0")
        if not 0 <= self.shape_prior < float("inf"):
            raise UsageError(f"shape_prior is {self.shape_prior}; expected 0 or more")
        if self.steps.batch < 2 or self.counts.held_out < 2:
            raise UsageError(
                f"batch is {self.steps.batch} and held_out {self.counts.held_out}; "
                "expected at least 2"
            )

    @classmethod
    def smoke(cls) -> Self:
        """Return a plan that goes through everything in seconds and shows nothing."""
        return cls(
            seeds=1,
            picture_size=96,
            part_picture_size=64,
            upright=False,
            counts=Counts(bodies=8, heads=4, hands=4, held_out=6, views=1),
            steps=Steps(experts=2, shape=2, whole=2, batch=4),
        )

    @property
    def network(self) -> CoreConfig:
        """Return the sizes of extractors, moderators and regressors."""
        return CoreConfig(
            feature_dim=256,
            regressor_width=352,
            part_regressor_layers=2,
            moderator_width=128,
            moderator_layers=1,
            n_betas=self.n_betas,
            n_expression=20,
            n_texture=1,  # of no use here, but with none experts have no cameras
        )

    def pictures(self, name: str) -> tuple[PictureConfig, int]:
        """Return what a store holds, `bodies`, `heads`, `hands`, `tune` or `report`.

        Held-out people have nothing before them but what a degree of difficulty puts
        there, so that the easiest one is clean.
        """
        counts, size = self.counts, self.picture_size
        if name in ("tune", "report"):
            seed = TUNING_SEED if name == "tune" else REPORT_SEED
            config = PictureConfig(
                CropKind.BODY,
                seed=seed,
                size=size,
                occluded=0.0,
                truncated=0.0,
                supersampling=1,
            )
            return config, counts.held_out // (2 if name == "tune" else 1)
        kind, side, count = {
            "bodies": (CropKind.BODY, size, counts.bodies),
            "heads": (CropKind.HEAD, self.part_picture_size, counts.heads),
            "hands": (CropKind.HAND, self.part_picture_size, counts.hands),
        }[name]
        config = PictureConfig(kind, seed=TRAINING_SEED, size=side, supersampling=1)
        return config, count

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON has it."""
        return asdict(self)
