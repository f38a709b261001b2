"""Is the exported graph the network it came from?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
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
    size: float = 1.0
    """Root mean square of the expected values."""

    @property
    def relative(self) -> float:
        """The largest difference over the size of the values; 0 where none differs."""
        if self.largest == 0:
            return 0.0
        return self.largest / self.size if self.size else float("inf")


def difference(
    tensor: str, found: npt.NDArray[Any], expected: npt.NDArray[Any]
) -> Difference:
    """Compare two arrays of one shape."""
    gap = found.astype(np.float64) - expected
    return Difference(
        tensor,
        largest=float(np.abs(gap).max()),
        rms=float(np.sqrt(np.square(gap).mean())),
        size=float(np.sqrt(np.square(expected, dtype=np.float64).mean())),
    )


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
    return [
        difference(spec.name, theirs[spec.name], expected.numpy())
        for spec, expected in zip(outputs, ours, strict=True)
    ]


_NOT_WRITTEN = (
    "the bundle was not written. Train again if weights are not finite numbers; "
    "otherwise use the tested versions in constraints.txt, and report it if that does "
    "not help"
)


def require(differences: Sequence[Difference], *, at_most: float) -> None:
    """Refuse an export that does not compute what its network computes.

    Raises:
        BundleError: some output differs by more than `at_most`.
    """
    for row in differences:
        if not row.largest <= at_most:
            raise BundleError(
                f"exported graph: {row.tensor} differs from torch by "
                f"{row.largest:.2g}, at most {at_most:.0e} is allowed; {_NOT_WRITTEN}"
            )


def require_relative(
    network: str, differences: Sequence[Difference], *, at_most: float
) -> None:
    """Refuse an export whose results differ by more than a share of their size.

    Raises:
        BundleError: some output differs by more than `at_most` times its size.
    """
    for row in differences:
        if not row.relative <= at_most:
            raise BundleError(
                f"exported network {network}: {row.tensor} differs from torch by "
                f"{row.relative:.2g} of its size, at most {at_most:.0e} is allowed; "
                f"{_NOT_WRITTEN}"
            )
