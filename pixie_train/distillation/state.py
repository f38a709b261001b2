"""A distillation between two steps, as a file.

Written as any image run's: beside the old checkpoint, whose place it takes when it is
whole; that of `last.pt` stays as `previous.pt`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import BundleError, UsageError
from pixie_train import checkpoint_file
from pixie_train.config import ImageConfig
from pixie_train.distillation.config import DistilConfig
from pixie_train.distillation.lesson import LessonSizes
from pixie_train.distillation.student import student_config
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.described import from_values

FORMAT = "pixie-distilled-run-1"
_EXPECTED = "expected one written by `pixie-train distil`"


@dataclass(frozen=True)
class Lectures:
    """What a student was taught by, and on what."""

    teacher: str
    """The bundle's name."""
    teacher_sha256: str
    """Of everything in it."""
    body_model_sha256: str
    footage: tuple[str, ...]
    """Keys of the footage."""
    lessons: int
    """How many people were found in it."""
    crops: CropSpec
    """How the teacher's pictures are cut."""
    licence: str
    """Of the teacher."""


@dataclass(frozen=True, eq=False)
class DistilState:
    """A run between two steps."""

    config: DistilConfig
    sizes: LessonSizes
    lectures: Lectures
    step: int
    """Steps done."""
    weights: dict[str, Tensor]
    """The student's, adapters among them."""
    average: dict[str, Tensor]
    """Exponentially averaged ones: what is evaluated and exported."""
    optimiser: dict[str, Any]
    scaler: dict[str, Any]
    history: list[dict[str, float]]
    """Rows of the log."""

    @property
    def network_config(self) -> ImageConfig:
        """The student's network."""
        return student_config(self.config.student, self.sizes)

    def network_with_average(self) -> ImagePixie:
        """Return the student with its averaged weights, in evaluation mode.

        Raises:
            BundleError: the weights are not those of the network that is described.
        """
        prefix = "network."
        weights = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.average.items()
            if name.startswith(prefix)
        }
        with torch.device("meta"):
            network = ImagePixie(self.network_config)
        try:
            network.load_state_dict(weights, assign=True)
        except RuntimeError as error:
            raise BundleError(
                "a checkpoint's weights are not those of the student that it "
                f"describes; {_EXPECTED}"
            ) from error
        return network.eval()


def save(state: DistilState, path: Path) -> None:
    """Write a checkpoint.

    Raises:
        SinkError: it cannot be written; what was there is as it was.
    """
    content = {
        "format": FORMAT,
        "config": json.dumps(asdict(state.config)),
        "sizes": json.dumps(asdict(state.sizes)),
        "lectures": json.dumps(asdict(state.lectures)),
        "step": state.step,
        "weights": state.weights,
        "average": state.average,
        "optimiser": state.optimiser,
        "scaler": state.scaler,
        "history": state.history,
    }
    checkpoint_file.write(content, path)


def load(path: Path) -> DistilState:
    """Read a checkpoint; tensors and plain values only, never code.

    Args:
        path: the file, or the folder of a run.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    content = checkpoint_file.read(path, FORMAT, _EXPECTED)
    try:
        return DistilState(
            config=from_values(DistilConfig, json.loads(content.pop("config"))),
            sizes=from_values(LessonSizes, json.loads(content.pop("sizes"))),
            lectures=from_values(Lectures, json.loads(content.pop("lectures"))),
            **content,
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise BundleError(
            f"{path} is not a whole checkpoint ({error}); {_EXPECTED}"
        ) from error
