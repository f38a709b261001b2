"""An engine that was read onto the GPU: its tensors, and uses of it at one size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pixie_runtime.engines.tensorrt_api import ICudaEngine, IExecutionContext
from pixie_runtime.engines.tensorrt_device import Device
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.engines.tensorrt_plan import NetworkTensors, TensorInfo
from pixie_runtime.errors import EngineError

Shape = tuple[int, ...]

_DTYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "BOOL": "bool",
}
"""TensorRT's types that numpy has too."""


class ContextMaker(Protocol):
    """Makes uses of an engine."""

    def make(self, engine: ICudaEngine) -> IExecutionContext | None:
        """Return a new context, None if the library refuses."""
        ...

    def close(self) -> None:
        """Save what can be saved for the next start."""
        ...


class PlainContexts:
    """Contexts as they are by default."""

    def make(self, engine: ICudaEngine) -> IExecutionContext | None:
        """Return a new context, None if the library refuses."""
        return engine.create_execution_context()

    def close(self) -> None:
        """There is nothing to save."""


@dataclass(frozen=True, slots=True)
class InputRange:
    """An input and the sizes that it may have."""

    dtype: str
    smallest: Shape
    largest: Shape

    @property
    def declared(self) -> tuple[int | str, ...]:
        """The shape; axes that are free have a name."""
        return tuple(
            high if low == high else ("batch" if axis == 0 else f"axis{axis}")
            for axis, (low, high) in enumerate(
                zip(self.smallest, self.largest, strict=True)
            )
        )

    @property
    def free(self) -> bool:
        """Whether the first axis is free; engines of this project have no other."""
        return bool(self.largest) and self.smallest[0] != self.largest[0]

    def takes(self, shape: Shape) -> bool:
        """Whether an array of this shape fits, if need be in pieces of its rows."""
        if not self.free:
            return shape == self.largest
        return shape[1:] == self.largest[1:] and shape[:1] >= self.smallest[:1]


class CudaNetwork:
    """One network on the GPU; weights are there once, contexts as many as needed."""

    def __init__(
        self,
        library: Library,
        device: Device,
        plan: bytes,
        shown: str,
        contexts: ContextMaker | None = None,
    ) -> None:
        """Read an engine.

        Args:
            library: what it was built with.
            device: where it goes.
            plan: the engine.
            shown: how errors call it.
            contexts: makes contexts; default: plainly.

        Raises:
            EngineError: no memory for it, or the library does not start or refuses it.
        """
        self._library, self._shown = library, shown
        free = device.free_memory()
        if len(plan) > free:
            raise EngineError(
                f"out of GPU memory: {shown} takes {len(plan) / 1e6:.0f} MB, "
                f"{free / 1e6:.0f} MB are free on {device.gpu}; close other programs "
                "that use the GPU, or use an fp16 bundle (pixie-export precision)"
            )
        self._runtime = library.make(library.module.Runtime)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise self._refused("read its engine for")
        self._engine: ICudaEngine = engine
        self._contexts = contexts or PlainContexts()
        module = library.module
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        takes = module.TensorIOMode.INPUT
        self._dtypes = {name: self._dtype(name) for name in names}
        self._outputs = tuple(n for n in names if engine.get_tensor_mode(n) != takes)
        self._inputs = {n: self._range(n) for n in names if n not in self._outputs}

    @property
    def inputs(self) -> Mapping[str, InputRange]:
        """The inputs by name."""
        return self._inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the network's order."""
        return self._outputs

    @property
    def most_rows(self) -> int | None:
        """How many rows the engine takes at once; None: its first axis is not free."""
        found = [spec.largest[0] for spec in self._inputs.values() if spec.free]
        return min(found, default=None)

    def context(
        self, shapes: Mapping[str, Shape]
    ) -> tuple[IExecutionContext, NetworkTensors]:
        """Return a use of the engine at one size, and all tensors' sizes then.

        Args:
            shapes: of every input.

        Raises:
            EngineError: there is no memory for another, or a result has no size that
                could be known beforehand.
        """
        context = self._contexts.make(self._engine)
        if context is None:
            raise self._refused("run")
        for name, shape in shapes.items():
            if not context.set_input_shape(name, shape):
                raise self._refused(f"take {name} of shape {shape} in")
        outputs = {name: tuple(context.get_tensor_shape(name)) for name in self.outputs}
        for name, shape in outputs.items():
            if any(size < 0 for size in shape):
                raise EngineError(
                    f"{self._shown}: the size of {name} depends on what it is given, "
                    f"{shape}; {self._library.title} is used here for fixed sizes only"
                )
        return context, NetworkTensors(
            {n: TensorInfo(tuple(s), self._dtypes[n]) for n, s in shapes.items()},
            {n: TensorInfo(shape, self._dtypes[n]) for n, shape in outputs.items()},
        )

    def close(self) -> None:
        """Free the network; the library does so when nobody holds it any more."""
        self._contexts.close()
        del self._engine, self._runtime

    def _dtype(self, name: str) -> str:
        found = self._engine.get_tensor_dtype(name).name
        if found not in _DTYPES:
            raise EngineError(
                f"{self._shown}: {name} is of type {found}, which numpy does not have; "
                "export the bundle with float32 inputs and outputs"
            )
        return _DTYPES[found]

    def _range(self, name: str) -> InputRange:
        shape = tuple(self._engine.get_tensor_shape(name))
        smallest = largest = shape
        if -1 in shape:
            low, _, high = self._engine.get_tensor_profile_shape(name, 0)
            smallest, largest = tuple(low), tuple(high)
        return InputRange(self._dtypes[name], smallest, largest)

    def _refused(self, what: str) -> EngineError:
        reason = self._library.reason()
        if "memory" in reason.lower():
            return EngineError(
                f"out of GPU memory: {self._library.title} cannot {what} "
                f"{self._shown} ({reason}); close other programs that use the GPU"
            )
        return EngineError(
            f"{self._library.title} cannot {what} {self._shown}: {reason}; build its "
            f"engine again with {self._library.command}"
        )
