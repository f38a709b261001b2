"""What runs a network: two small Protocols, several libraries behind them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy.typing as npt

AnyArray = npt.NDArray[Any]


class Engine(Protocol):
    """A loaded network; a context manager that frees it."""

    @property
    def description(self) -> str:
        """What runs the network: `ONNX Runtime 1.32.0 on the CPU`.

        With the arithmetic where that is the engine's choice, not the network's.
        """
        ...

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """Each input's shape by name; a str stands for a free axis."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the network's order."""
        ...

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run once; every input by name. The returned arrays belong to the caller.

        Raises:
            EngineError: What runs the network failed, or has no memory for it.
            RuntimeError: The engine is closed.
            ValueError: An input is missing, unknown, or of a wrong shape or type.
        """
        ...

    def close(self) -> None:
        """Free the network; `infer` may not be called afterwards."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class EngineMaker(Protocol):
    """Opens networks, all with one library, on one device, in one arithmetic."""

    @property
    def description(self) -> str:
        """What will run the networks, as its engines say it too."""
        ...

    @property
    def concurrent(self) -> bool:
        """Whether callers that run a network at the same time share the cores.

        Each then has its own thread and those that the engine was opened with. The
        others' callers take turns.
        """
        ...

    @property
    def int8(self) -> bool:
        """Whether landmark networks that ship in int8 too are to be opened in it."""
        ...

    def open(self, model: Path | bytes, *, threads: int | None = None) -> Engine:
        """Load a network.

        Args:
            model: An ONNX file, or its content if it has no external data.
            threads: Cores that one run may use; default: the maker's own choice.
                Engines on other devices than the CPU take no notice.

        Raises:
            BundleError: There is no such file, or it is no ONNX model.
            EngineError: This library or device cannot run the model.
        """
        ...
