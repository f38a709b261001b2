"""One network as it is exported: a module with named inputs and outputs."""

from dataclasses import dataclass

from torch import Tensor, nn

from pixie_runtime.bundle import TensorSpec


@dataclass(frozen=True, eq=False)
class Graph:
    """What becomes one ONNX file.

    `module(*inputs)` returns a tuple: `outputs` in their order, then `traced`.
    """

    name: str
    """The network's name in the bundle; its file is `NAME.onnx`."""
    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    traced: tuple[TensorSpec, ...] = ()
    """Intermediate results that only a comparison with the official network wants."""


class OneResult(nn.Module):
    """A module whose one result is handed out as a tuple of one, as graphs do."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return the module's result."""
        return (self.module(x),)
