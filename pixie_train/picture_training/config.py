"""What a run is made of, as nested frozen dataclasses.

`pixie-train expert` and `pixie-train whole` build their options and help from these
fields; a run stores them beside its weights and is resumed with the same ones only.
How the paper's runs were set is not published (spec: pixie-network, section 13); what
is ours is said at the field.
"""

from dataclasses import dataclass, field
from typing import Literal

from pixie_runtime.errors import UsageError
from pixie_train.batch import CROP_SIZE, CropKind
from pixie_train.losses.choices import Choices
from pixie_train.losses.weights import STAGE_KINDS, StageWeights

Stage = Literal["body", "head", "hand", "whole"]
Precision = Literal["no", "bf16", "fp16"]


@dataclass(frozen=True)
class Optimisation:
    """How weights move. Rates are those of the nearest published runs, Adam's 1e-4."""

    learning_rate: float = 1e-4
    """Peak learning rate of AdamW, after warm-up."""
    warm_up_steps: int = 500
    """Steps over which the rate rises from zero; it then falls to zero as a cosine."""
    weight_decay: float = 1e-4
    """AdamW's decoupled weight decay."""
    clip: float = 1.0
    """Largest norm of the gradient; longer ones are shortened to it."""
    ema_decay: float = 0.999
    """Decay of the averaged weights, which are evaluated and exported."""
    precision: Precision = "no"
    """Half precision in the encoders and regressors; geometry and losses stay in
    float32, and so do the weights."""

    def __post_init__(self) -> None:
        """Refuse rates that lead nowhere."""
        for name in ("learning_rate", "clip"):
            _require(name, getattr(self, name), "above 0", getattr(self, name) > 0)
        for name in ("warm_up_steps", "weight_decay"):
            _require(name, getattr(self, name), "0 or more", getattr(self, name) >= 0)
        _require("ema_decay", self.ema_decay, "0 to below 1", 0 <= self.ema_decay < 1)


@dataclass(frozen=True)
class PartCrops:
    """How whole bodies' heads and hands are cut out of their finer picture."""

    size: int = CROP_SIZE
    """Side of the parts' crops in pixels; the commands set it to --crop-size."""
    boxes: Literal["true", "coarse"] = "true"
    """Where: at the labelled key points, moved and scaled by chance so that the experts
    learn to see parts that are not in the middle; or where the body's own expert has
    them, as when the network is used. Where a batch has no true boxes it is always the
    latter."""
    scale_jitter: float = 0.1
    """Squares are up to this much larger or smaller: the release's 1.8 to 2.2 about
    2.0."""
    shift_jitter: float = 0.15
    """Squares are moved by up to this share of their side along each axis: the
    release's 0.3 of the points' extent, of which a head's square is twice as long."""
    head_scale: float = 2.0
    """Side of a head's square over the extent of its coarse points."""
    hand_scale: float = 2.4
    """Likewise of a hand."""

    def __post_init__(self) -> None:
        """Refuse squares that cannot be cut."""
        _require("parts.size", self.size, "32 or more", self.size >= 32)
        for name in ("scale_jitter", "shift_jitter"):
            value = getattr(self, name)
            _require(f"parts.{name}", value, "0 to below 1", 0 <= value < 1)
        for name in ("head_scale", "hand_scale"):
            value = getattr(self, name)
            _require(f"parts.{name}", value, "1 or more", value >= 1)


@dataclass(frozen=True)
class WholeFactors:
    """What counts how much where whole bodies are trained end to end."""

    fused: float = 1.0
    """The fused regression, by the weights of the stage `whole`."""
    body_only: float = 0.5
    """What the body's feature says alone, by the weights of the stage `body`: without
    it that feature would lose the parts wherever an expert sees them."""
    part_only: float = 0.0
    """What the parts' own features say of them, by the weights of the stage `whole`;
    the experts then go on learning where the moderators do not trust them yet."""
    heads: float = 1.0
    """Head crops that come along (`extra_heads`), by the weights of `head`."""
    hands: float = 1.0
    """Hand crops that come along (`extra_hands`), by the weights of `hand`."""

    def __post_init__(self) -> None:
        """Refuse factors that turn a loss round, and nothing but zeros."""
        for name, value in vars(self).items():
            _require(f"factors.{name}", value, "0 or more", value >= 0)
        sum_of_bodies = self.fused + self.body_only + self.part_only
        _require("factors' sum", sum_of_bodies, "above 0", sum_of_bodies > 0)


@dataclass(frozen=True)
class StageRun:
    """One run of one stage."""

    stage: Stage = "body"
    """Which: an expert alone, or whole bodies end to end."""
    steps: int = 100_000
    """Optimiser steps."""
    batch: int = 24
    """Samples a step, of all processes together: the release's configuration."""
    extra_heads: int = 0
    """`whole` only: head crops of their own data sets in every step."""
    extra_hands: int = 0
    """`whole` only: hand crops likewise."""
    seed: int = 0
    """Of new weights, data order and jitter; the same seed gives the same run."""
    checkpoint_every: int = 1000
    """Steps between checkpoints."""
    log_every: int = 50
    """Steps between rows of the log."""
    frozen: tuple[str, ...] = ()
    """Parts of the network that this stage would train but leaves as they are, by name:
    encode_body, regress_head, moderate_hand, ..."""
    optimisation: Optimisation = field(default_factory=Optimisation)
    """How weights move."""
    parts: PartCrops = field(default_factory=PartCrops)
    """`whole` only: where head and hands are cut."""
    factors: WholeFactors = field(default_factory=WholeFactors)
    """`whole` only: what counts how much."""
    weights: StageWeights = field(default_factory=StageWeights)
    """Of the losses' terms, by stage."""
    choices: Choices = field(default_factory=Choices)
    """What the paper leaves open in the losses."""

    def __post_init__(self) -> None:
        """Refuse runs that cannot be made."""
        for name in ("steps", "batch", "checkpoint_every", "log_every"):
            value = getattr(self, name)
            _require(name, value, "at least 1", value >= 1)
        _require("seed", self.seed, "0 or more", self.seed >= 0)
        for name in ("extra_heads", "extra_hands"):
            value = getattr(self, name)
            _require(name, value, "0 or more", value >= 0)
            if value and self.stage != "whole":
                raise UsageError(
                    f"{name} is {value}, but the stage is {self.stage}; only whole "
                    "bodies are trained with other crops along"
                )
        if self.parts.boxes == "coarse" and self.stage != "whole":
            raise UsageError(
                f"parts.boxes is coarse, but the stage is {self.stage}; only whole "
                "bodies have parts to cut"
            )

    @property
    def counts(self) -> dict[CropKind, int]:
        """How many samples of each kind a step has."""
        extra = {CropKind.HEAD: self.extra_heads, CropKind.HAND: self.extra_hands}
        return {STAGE_KINDS[self.stage]: self.batch} | {
            kind: count for kind, count in extra.items() if count
        }


@dataclass(frozen=True)
class Machine:
    """How it is computed; a run may be resumed with another machine."""

    device: str = "auto"
    """cpu, cuda, cuda:1; auto: a CUDA card where there is one."""
    threads: int = 0
    """CPU threads of the network; 0: torch's own choice."""
    workers: int = 0
    """Processes that make samples; 0: in between, in this one."""
    processes: int = 1
    """Processes of this machine that share each step's samples, with a CUDA card each
    where there are cards; torchrun starts them on several machines."""

    def __post_init__(self) -> None:
        """Refuse numbers below zero."""
        _require("processes", self.processes, "at least 1", self.processes >= 1)
        for name in ("threads", "workers"):
            value = getattr(self, name)
            _require(name, value, "0 or more", value >= 0)


def _require(name: str, value: object, expected: str, fits: bool) -> None:
    if not fits:
        raise UsageError(f"{name} is {value}; expected {expected}")
