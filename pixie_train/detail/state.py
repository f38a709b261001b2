"""A detail run as a file: what it needs to go on, and its network."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from pixie_runtime.errors import BundleError
from pixie_train import checkpoint_file
from pixie_train.detail.config import DetailConfig
from pixie_train.detail.losses import DetailWeights
from pixie_train.detail.network import DetailNetwork
from pixie_train.detail.run_config import DetailRun, HeadPictures

_FORMAT = "pixie-detail-run-1"
_EXPECTED = "expected one written by `pixie-train detail`"


@dataclass(frozen=True, eq=False)
class DetailState:
    """A run between two steps."""

    run: DetailRun
    body_model_sha256: str
    """Of the body in whose face's chart the maps are."""
    coarse: str
    """Who gives the coarse faces: the SHA-256 of a checkpoint, or "truth"."""
    step: int
    weights: dict[str, Tensor]
    """As the optimiser has them."""
    average: dict[str, Tensor]
    """Exponentially averaged ones: what is compared and used."""
    optimiser: dict[str, Any]
    scaler: dict[str, Any]
    """The loss's scale with fp16; else empty."""
    history: list[dict[str, float]]

    def network(self) -> DetailNetwork:
        """Return the network in evaluation mode.

        Raises:
            BundleError: the weights are another network's.
        """
        network = DetailNetwork(self.run.network)
        try:
            network.load_state_dict(self.average)
        except RuntimeError as error:
            raise BundleError(
                "the weights of a detail run are not those of the network that it "
                f"describes; {_EXPECTED}"
            ) from error
        return network.eval()


def save(state: DetailState, path: Path) -> None:
    """Write a checkpoint; the old one stays until the new one is whole.

    Raises:
        SinkError: it cannot be written.
    """
    content = {
        "format": _FORMAT,
        "run": json.dumps(asdict(state.run)),
        **{f.name: getattr(state, f.name) for f in fields(state) if f.name != "run"},
    }
    checkpoint_file.write(content, path)


def load(path: Path) -> DetailState:
    """Read a checkpoint, or that of a run's folder; tensors and plain values only.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    content = checkpoint_file.read(path, _FORMAT, _EXPECTED)
    # Older runs had no average (see `_run`), and threads among what they were made of.
    content = {"average": content.get("weights"), "scaler": {}, **content}
    try:
        return DetailState(run=_run(json.loads(content.pop("run"))), **content)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); {_EXPECTED}"
        ) from error


def _run(values: Mapping[str, Any]) -> DetailRun:
    values = {name: value for name, value in values.items() if name != "threads"}
    network = {**values["network"], "channels": tuple(values["network"]["channels"])}
    nested = {
        "network": DetailConfig(**network),
        "pictures": HeadPictures(**values["pictures"]),
        "weights": DetailWeights(**values["weights"]),
    }
    return DetailRun(**{"ema_decay": 0.0, **values, **nested})
