"""What a run needs to go on, and its result so far, as a file.

A checkpoint is written beside the old one and takes its place when it is whole; the old
one stays as `previous.pt`. A run killed at any time can be resumed.
"""

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixie_runtime.errors import BundleError, SinkError
from pixie_train.config import ImageConfig
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.config import StageRun
from pixie_train.picture_training.described import from_values

LAST, PREVIOUS = "last.pt", "previous.pt"
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

    def network_with_average(self) -> ImagePixie:
        """Return the network with its averaged weights, in evaluation mode."""
        with torch.device("meta"):
            network = ImagePixie(self.network)
        network.load_state_dict(self.average, assign=True)
        return network.eval()


def save(state: RunState, path: Path) -> None:
    """Write a checkpoint to `path`; what was there becomes `previous.pt`.

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
    }
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            _keep(path)
        partial.replace(path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        # A full disk is an OSError of the file or a RuntimeError of torch's writer.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise SinkError(
            f"cannot write the checkpoint {path}: {_reason(error)}; free space or give "
            "another --out, the last whole checkpoint is as it was"
        ) from error


def load(path: Path) -> RunState:
    """Read a checkpoint; tensors and plain values only, never code.

    Args:
        path: the file, or the folder of a run.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    if path.is_dir():
        path = path / LAST
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.pop("format", "") != _FORMAT:
            raise BundleError(f"{path} is not a checkpoint of this kind; {_EXPECTED}")
        return RunState(
            run=from_values(StageRun, json.loads(content.pop("run"))),
            network=from_values(ImageConfig, json.loads(content.pop("network"))),
            **content,
        )
    except BundleError:
        raise
    except FileNotFoundError:
        raise BundleError(f"there is no checkpoint {path}; check the path") from None
    except Exception as error:
        previous = path.with_name(PREVIOUS)
        way_out = (
            f"the one before it is {previous}: copy it to {path.name} to go on from it"
            if path.name == LAST and previous.exists()
            else _EXPECTED
        )
        raise BundleError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); {way_out}"
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


def _keep(path: Path) -> None:
    """Give the old checkpoint a second name; it is there under its own all along."""
    previous = path.with_name(PREVIOUS)
    previous.unlink(missing_ok=True)
    try:
        os.link(path, previous)
    except OSError:  # a file system without links
        shutil.copyfile(path, previous)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # where folders cannot be synchronised
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, OSError):
        return cause.strerror or str(cause)
    return str(error).splitlines()[0]
