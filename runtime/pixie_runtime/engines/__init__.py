"""What runs a network: one small Protocol, several makers behind it."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy.typing as npt

AnyArray = npt.NDArray[Any]


class Engine(Protocol):
    """A loaded network; a context manager that frees it."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """Each input's shape by name; a str stands for a free axis."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the network's order."""
        ...

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run once; every input by name. The returned arrays belong to the caller."""
        ...

    def close(self) -> None:
        """Free the network; `infer` may not be called afterwards."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
