"""What a run needs to go on, and its result so far, as a file.

`checkpoint_file` says how it is written.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixie_runtime.errors import BundleError, UsageError
from pixie_train import checkpoint_file
from pixie_train.config import ImageConfig
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.config import StageRun
from pixie_train.picture_training.described import from_values

_FORMAT = "pixie-image-run-1"
_EXPECTED = "expected one written by `pixie-train expert` or `pixie-train whole`"


@dataclass(frozen=True, eq=False)
class RunState:
    """A run between two steps."""

    run: StageRun
    network: ImageConfig
    """Encoders and sizes."""
    body_model_sha256: str
    """Of the file of the body model that coefficients mean."""
    step: int
    """Steps done."""
    weights: dict[str, Tensor]
    """The network's, as the optimiser has them."""
    average: dict[str, Tensor]
    """Exponentially averaged ones: what is evaluated, exported and built on."""
    optimiser: dict[str, Any]
    """AdamW's moments."""
    scaler: dict[str, Any]
    """The loss's scale with fp16; else empty."""
    history: list[dict[str, float]]
    """Rows of the log."""
    data: dict[str, str] = field(default_factory=dict)
    """What was trained on, option by option, as commands say it."""
    files: dict[str, str] | None = None
    """SHA-256 of Gaussians, key point tables, networks and maps that were given, by
    option (`given_files`); None: a run of an older version, which does not say."""
    starts: list[dict[str, str]] = field(default_factory=list)
    """What it was computed with, since every start of the run (`made_with`)."""

    def network_with_average(self) -> ImagePixie:
        """Return the network with its averaged weights, in evaluation mode."""
        with torch.device("meta"):
            network = ImagePixie(self.network)
        network.load_state_dict(self.average, assign=True)
        return network.eval()


def save(state: RunState, path: Path) -> None:
    """Write a checkpoint to `path`; what was in `last.pt` becomes `previous.pt`.

    Raises:
        SinkError: it cannot be written; what was there is as it was.
    """
    content = {
        "format": _FORMAT,
        "run": json.dumps(asdict(state.run)),
        "network": json.dumps(asdict(state.network)),
        "body_model_sha256": state.body_model_sha256,
        "step": state.step,
        "weights": state.weights,
        "average": state.average,
        "optimiser": state.optimiser,
        "scaler": state.scaler,
        "history": state.history,
        "data": state.data,
        "files": state.files,
        "starts": state.starts,
    }
    checkpoint_file.write(content, path)


def load(path: Path) -> RunState:
    """Read a checkpoint; tensors and plain values only, never code.

    Args:
        path: the file, or the folder of a run.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    content = checkpoint_file.read(path, _FORMAT, _EXPECTED)
    try:
        return RunState(
            run=from_values(StageRun, json.loads(content.pop("run"))),
            network=from_values(ImageConfig, json.loads(content.pop("network"))),
            **content,
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise BundleError(
            f"{path} is not a whole checkpoint ({error}); {_EXPECTED}"
        ) from error


def load_image_run(path: Path) -> tuple[ImageConfig, ImagePixie]:
    """Return a run's network with its averaged weights, in evaluation mode.

    Args:
        path: a checkpoint, or the folder of a run.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    state = load(path)
    try:
        return state.network, state.network_with_average()
    except RuntimeError as error:
        raise BundleError(
            f"the weights in {path} are not those of the network that it describes; "
            f"{_EXPECTED}"
        ) from error
