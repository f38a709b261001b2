"""Is the exported graph the network it came from?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.bundle import TensorSpec
from pixie_runtime.engines import Engine
from pixie_runtime.errors import BundleError


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two results of one tensor are apart."""

    tensor: str
    largest: float
    rms: float


def compare(
    module: nn.Module,
    engine: Engine,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[TensorSpec],
) -> list[Difference]:
    """Run torch and an engine on the same inputs; one row for each output."""
    with torch.no_grad():
        ours = module(*inputs.values())
    theirs = engine.infer({name: tensor.numpy() for name, tensor in inputs.items()})
    rows = []
    for spec, expected in zip(outputs, ours, strict=True):
        gap = theirs[spec.name].astype(np.float64) - expected.numpy()
        largest, rms = float(np.abs(gap).max()), float(np.sqrt(np.square(gap).mean()))
        rows.append(Difference(spec.name, largest, rms))
    return rows


def require(differences: Sequence[Difference], *, at_most: float) -> None:
    """Refuse an export that does not compute what its network computes.

    Raises:
        BundleError: some output differs by more than `at_most`.
    """
    for row in differences:
        if not row.largest <= at_most:
            raise BundleError(
                f"exported graph: {row.tensor} differs from torch by "
                f"{row.largest:.2g}, at most {at_most:.0e} is allowed; "
                "the bundle was not written"
            )
