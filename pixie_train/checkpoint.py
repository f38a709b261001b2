"""Saving and resuming a training run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixie_runtime.errors import BundleError
from pixie_train import checkpoint_file
from pixie_train.config import CoreConfig, LandmarkConfig, LossWeights, TrainConfig

_FORMAT = "pixie-landmark-run-2"
_EXPECTED = "expected one written by `pixie-train landmark`"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything a run needs to go on, and its result so far."""

    config: TrainConfig
    body_model_sha256: str
    """Of the body model file the data was made with."""
    step: int
    network: dict[str, Any]
    average: dict[str, Any]
    """Exponentially averaged weights: what is evaluated and exported."""
    optimiser: dict[str, Any]
    history: list[dict[str, float]]
    """Logged losses and errors."""


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint to `path`; what was in `last.pt` becomes `previous.pt`.

    Raises:
        SinkError: it cannot be written; what was there is as it was.
    """
    content = {
        "format": _FORMAT,
        "config": json.dumps(asdict(checkpoint.config)),
        "body_model_sha256": checkpoint.body_model_sha256,
        "step": checkpoint.step,
        "network": checkpoint.network,
        "average": checkpoint.average,
        "optimiser": checkpoint.optimiser,
        "history": checkpoint.history,
    }
    checkpoint_file.write(content, path)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors and plain values only, never code.

    Args:
        path: the file, or the folder of a run.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    content = checkpoint_file.read(path, _FORMAT, _EXPECTED)
    try:
        return Checkpoint(config=_config(json.loads(content.pop("config"))), **content)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{path} is not a whole checkpoint ({error}); {_EXPECTED}"
        ) from error


def _config(values: dict[str, Any]) -> TrainConfig:
    network_values = values.pop("network")
    core = CoreConfig(**network_values.pop("core"))
    network = LandmarkConfig(core=core, **network_values)
    losses = LossWeights(**values.pop("losses"))
    return TrainConfig(network=network, losses=losses, **values)
