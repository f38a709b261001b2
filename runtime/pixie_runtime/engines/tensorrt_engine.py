"""TensorRT 10 and 11 behind the `Engine` Protocol.

Engines are built beforehand, on the machine that runs them, by `pixie-export tensorrt`;
here they are found, read and run. Not run on a GPU yet: members of the bindings are
checked against the real ones, everything else with a library and a device that stand
for NVIDIA's.
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np

from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.tensorrt_cache import Wanted, find_plan
from pixie_runtime.engines.tensorrt_cuda import CudaDevice
from pixie_runtime.engines.tensorrt_device import Device
from pixie_runtime.engines.tensorrt_library import Library, LibraryKind, load_library
from pixie_runtime.engines.tensorrt_network import (
    ContextMaker,
    CudaNetwork,
    PlainContexts,
    Shape,
)
from pixie_runtime.engines.tensorrt_plan import lay_out
from pixie_runtime.engines.tensorrt_runner import PlanRunner

_SIZES_KEPT = 8
"""Runners, each with a context of its own: one for each size of input."""


class TensorrtEngine:
    """One network on the GPU, from and to arrays of the host."""

    def __init__(
        self, network: CudaNetwork, device: Device, library: Library, description: str
    ) -> None:
        """Take over a network; `close` frees it."""
        self._network: CudaNetwork | None = network
        self._device, self._library = device, library
        self._description = description
        self._input_shapes = MappingProxyType(
            {name: spec.declared for name, spec in network.inputs.items()}
        )
        self._output_names = network.outputs
        self._runners: OrderedDict[tuple[Shape, ...], PlanRunner] = OrderedDict()

    @property
    def description(self) -> str:
        """What runs the network: `TensorRT 11.4.0.106 on NVIDIA ... (SM89)`."""
        return self._description

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """Each input's shape by name; a str stands for a free axis."""
        return self._input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the network's order."""
        return self._output_names

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run once; every input by name. The returned arrays belong to the caller.

        Raises:
            EngineError: The GPU or TensorRT failed, or has no memory for this size.
            RuntimeError: The engine is closed.
            ValueError: An input is missing, unknown, or of a wrong shape or type.
        """
        if self._network is None:
            raise RuntimeError("this engine is closed")
        rows = check_inputs(self._network, inputs)
        with self._device.lock:
            return self._in_pieces(self._network, inputs, rows)

    def _in_pieces(
        self, network: CudaNetwork, inputs: Mapping[str, AnyArray], rows: int | None
    ) -> dict[str, AnyArray]:
        """Run; more rows than the engine takes at once are run one piece after another.

        `rows` is None for a network whose first axis is not free.
        """
        most = network.most_rows
        if rows is None or most is None or rows <= most:
            return self._runner(network, inputs).run(inputs)
        pieces = []
        for first in range(0, rows, most):
            piece = {name: a[first : first + most] for name, a in inputs.items()}
            pieces.append(self._runner(network, piece).run(piece))
        return {
            name: np.concatenate([piece[name] for piece in pieces])
            for name in self._output_names
        }

    def close(self) -> None:
        """Free the network; `infer` may not be called afterwards."""
        for runner in self._runners.values():
            runner.close()
        self._runners.clear()
        if self._network is not None:
            self._network.close()
            self._network = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _runner(
        self, network: CudaNetwork, inputs: Mapping[str, AnyArray]
    ) -> PlanRunner:
        """Return what runs at one size; of many sizes the latest are kept."""
        shapes = {name: inputs[name].shape for name in self._input_shapes}
        key = tuple(shapes.values())
        if key not in self._runners:
            while len(self._runners) >= _SIZES_KEPT:
                self._runners.popitem(last=False)[1].close()
            context, tensors = network.context(shapes)
            plan = lay_out({"network": tensors})
            self._runners[key] = PlanRunner(
                plan, {"network": context}, self._device, self._library
            )
        self._runners.move_to_end(key)
        return self._runners[key]


class TensorrtMaker:
    """Opens networks whose engines were built with the TensorRT that is installed."""

    kind: ClassVar[LibraryKind] = "tensorrt"
    concurrent = False
    int8 = False

    def __init__(
        self,
        *,
        cache: Path,
        engines: Path | None = None,
        library: Library | None = None,
        device: Device | None = None,
    ) -> None:
        """Find library and GPU.

        Args:
            cache: folder of engines, besides those beside bundles.
            engines: another one, searched first.
            library: default: the installed one.
            device: default: the first GPU.

        Raises:
            MissingExtraError: the library or cuda-bindings is not installed.
            EngineError: it cannot be loaded, or no GPU that it could use.
        """
        self.library = library or load_library(self.kind)
        self.device = device or CudaDevice(library=self.kind)
        self.cache, self.engines = cache, engines

    @property
    def description(self) -> str:
        """What will run the networks."""
        return f"{self.library.title} on {self.device.gpu}"

    def open(
        self, model: Path | bytes, *, threads: int | None = None
    ) -> TensorrtEngine:
        """Load a network's engine; `threads` means nothing here.

        Raises:
            BundleError: There is no such file.
            EngineError: No engine was built for it that fits this machine, it is
                damaged, or there is no memory for it; says which command builds it.
        """
        network = self.open_network(model)
        return TensorrtEngine(network, self.device, self.library, self.description)

    def open_network(self, model: Path | bytes) -> CudaNetwork:
        """Load a network's engine for use on the device; see `open`."""
        library, device = self.library, self.device
        wanted = Wanted(library.kind, library.version, library.title, device.gpu)
        plan = find_plan(model, wanted, self.cache, first=self.engines)
        return CudaNetwork(library, device, plan, _shown(model), self._contexts(plan))

    def _contexts(self, plan: bytes) -> ContextMaker:
        """Return how contexts of an engine are made."""
        return PlainContexts()


def check_inputs(network: CudaNetwork, inputs: Mapping[str, AnyArray]) -> int | None:
    """Refuse arrays that a network does not take; return how many rows they have.

    None where the first axis is not free.

    Raises:
        ValueError: as it says.
    """
    if inputs.keys() != network.inputs.keys():
        raise ValueError(
            f"inputs {sorted(inputs)} given, expected {sorted(network.inputs)}"
        )
    rows = {}
    for name, spec in network.inputs.items():
        array = inputs[name]
        if array.dtype != spec.dtype or not spec.takes(array.shape):
            raise ValueError(
                f"{name} is {array.dtype} {array.shape}, expected {spec.dtype} "
                f"{spec.declared}"
            )
        if spec.free:
            rows[name] = array.shape[0]
    if len(set(rows.values())) > 1:
        raise ValueError(f"inputs have different numbers of rows: {rows}")
    return next(iter(rows.values()), None)


def _shown(model: Path | bytes) -> str:
    """Return how a network is called in errors."""
    return "a landmark model" if isinstance(model, bytes) else str(model)
