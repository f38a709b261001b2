"""Saving and resuming a training run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pixie_runtime.errors import BundleError
from pixie_train.config import CoreConfig, LandmarkConfig, LossWeights, TrainConfig

_FORMAT = "pixie-landmark-run-2"


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
    """Write a checkpoint; the old one stays until the new one is whole."""
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
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors and plain values only, never code.

    Raises:
        BundleError: if the file is missing, damaged or something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise BundleError(
            f"no checkpoint at {path}; train one with pixie-train"
        ) from None
    except Exception as error:
        raise BundleError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); "
            "expected one written by `pixie-train landmark`"
        ) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise BundleError(f"{path} is not a checkpoint of `pixie-train landmark`")
    content.pop("format")
    return Checkpoint(config=_config(json.loads(content.pop("config"))), **content)


def _config(values: dict[str, Any]) -> TrainConfig:
    network_values = values.pop("network")
    core = CoreConfig(**network_values.pop("core"))
    network = LandmarkConfig(core=core, **network_values)
    losses = LossWeights(**values.pop("losses"))
    return TrainConfig(network=network, losses=losses, **values)
