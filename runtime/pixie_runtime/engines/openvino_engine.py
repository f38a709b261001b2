"""OpenVINO behind the `Engine` Protocol: the faster one on most processors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from pixie_runtime.engine_kinds import Precision
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.faults import failure, misfit, uneven
from pixie_runtime.engines.mapped_files import put_away
from pixie_runtime.engines.openvino_last_layers import inputs_of_last_layers
from pixie_runtime.engines.openvino_library import (
    capabilities,
    core,
    openvino,
    read_onnx,
    reason,
    version,
)
from pixie_runtime.errors import EngineError, PixieError

_HINTS: dict[Precision, str] = {"auto": "f32", "float32": "f32", "bfloat16": "bf16"}
_MOST_PLANS = 4
"""Batch sizes that get a plan of their own, each with a copy of the weights."""
_FREE = "?"

_Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The network compiled for some shapes of its inputs."""

    compiled: Any
    request: Any

    def run(
        self, given: Sequence[AnyArray], names: Sequence[str]
    ) -> dict[str, AnyArray]:
        """Return the outputs, by name in their order, of inputs in theirs.

        Tensors are set and read one by one: for the same `infer(inputs)` takes
        OpenVINO's bindings a tenth of a millisecond longer.
        """
        for index, array in enumerate(given):
            tensor = openvino().Tensor(array, shared_memory=True)
            self.request.set_input_tensor(index, tensor)
        self.request.infer(share_outputs=True)
        return {
            name: self.request.get_output_tensor(index).data.copy()
            for index, name in enumerate(names)
        }


class OpenVinoEngine:
    """An ONNX file compiled for the CPU.

    A network with a free batch axis is compiled anew for every size it meets, up to a
    few: measured, code that knows its shapes is 5 to 50% faster than code that does
    not, most in small networks. Size 1 is compiled when the network is opened, others
    when they are first asked for, which takes that run a fraction of a second longer.

    Threads are not pinned to cores (ENABLE_CPU_PINNING): two networks of one process,
    each with one thread, would be pinned to the same core.
    """

    def __init__(
        self,
        model: Path | bytes,
        *,
        threads: int = 2,
        precision: Precision = "float32",
        cache: Path | None = None,
    ) -> None:
        """Load and compile `model`, a file or its content.

        Args:
            model: The ONNX file; for bytes without external data.
            threads: Cores that one run may use.
            precision: What float32 networks compute in; int8 ones stay int8.
            cache: Folder for compiled networks; a damaged one is compiled again.

        Raises:
            BundleError: There is no such file, or it is no ONNX model.
            EngineError: OpenVINO cannot run the model.
        """
        self._precision = precision
        self._settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        self._mapped = [] if isinstance(model, bytes) else [model.parent]
        if cache is not None:
            self._settings["CACHE_DIR"] = str(cache)
            self._mapped.append(cache)
        self._shown = "the model given as bytes" if isinstance(model, bytes) else model
        self._model = model
        network = read_onnx(model)
        parameters = network.get_parameters()
        self._names = tuple(p.get_friendly_name() for p in parameters)
        self._types = {
            p.get_friendly_name(): np.dtype(p.get_element_type().to_dtype())
            for p in parameters
        }
        shapes = [_axes(p.get_partial_shape()) for p in parameters]
        self._input_shapes = MappingProxyType(
            dict(zip(self._names, shapes, strict=True))
        )
        self._output_names = tuple(
            result.get_friendly_name().partition("/sink_port_")[0]
            for result in network.get_results()
        )
        self._only_batches = all(
            isinstance(axis, int) for shape in shapes for axis in shape[1:]
        )
        self._plans: dict[_Shapes, _Plan] = {}
        self._any_shape: _Plan | None = None
        # A request runs one thing at a time, while ONNX Runtime's sessions may be
        # called from any thread: so may this.
        self._lock = Lock()
        self._closed = False
        first = tuple(tuple(map(_smallest, shape)) for shape in shapes)
        if self._only_batches:
            self._plans[first] = self._compiled(network, first)
        else:
            self._any_shape = self._compiled(network, None)

    @property
    def description(self) -> str:
        """What runs the network: `OpenVINO 2026.4.1 on the CPU, bfloat16`."""
        return described(self._precision)

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

        Inputs that are contiguous and may be written to are read where they are, others
        are copied first.

        Raises:
            EngineError: OpenVINO failed, or has no memory for this size.
            RuntimeError: The engine is closed.
            ValueError: An input is missing, unknown, or of a wrong shape or type.
        """
        if self._closed:
            raise RuntimeError("this engine is closed")
        if inputs.keys() != self._input_shapes.keys():
            raise ValueError(
                f"inputs {sorted(inputs)} given, expected {sorted(self._input_shapes)}"
            )
        # OpenVINO would convert without a word.
        fault = misfit(inputs, self._input_shapes, self._types)
        if fault is not None:
            raise ValueError(fault)
        given = [
            np.require(inputs[name], requirements=("C", "W")) for name in self._names
        ]
        with self._lock:
            try:
                plan = self._plan_for(tuple(array.shape for array in given))
                return plan.run(given, self._output_names)
            # OpenVINO's exceptions have no common base but Exception.
            except Exception as error:
                # Inputs that do not go together come out when it is compiled for them.
                fault = uneven(inputs, self._input_shapes)
                if fault is not None:
                    raise ValueError(fault) from error
                if isinstance(error, PixieError):
                    raise
                what = f"run {self._shown}"
                raise failure(_running(), what, error, reason(error)) from error

    def close(self) -> None:
        """Free the network; `infer` may not be called afterwards."""
        with self._lock:
            self._plans.clear()
            self._any_shape = None
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _plan_for(self, shapes: _Shapes) -> _Plan:
        """Return the network compiled for these shapes, or for all."""
        plan = self._plans.get(shapes)
        if plan is not None:
            return plan
        if self._only_batches and len(self._plans) < _MOST_PLANS:
            plan = self._compiled(read_onnx(self._model), shapes)
            self._plans[shapes] = plan
            return plan
        if self._any_shape is None:
            self._any_shape = self._compiled(read_onnx(self._model), None)
        return self._any_shape

    def _compiled(self, network: Any, shapes: _Shapes | None) -> _Plan:
        """Return a network, which is not used otherwise, compiled for some shapes.

        None is kept: a network holds its weights, its plans hold them once more, and
        reading it again for another size takes a tenth of a second.
        """
        try:
            if self._precision == "bfloat16":
                network.add_outputs(inputs_of_last_layers(network))
            if shapes is not None:
                network.reshape(dict(zip(self._names, map(list, shapes), strict=True)))
            compiled = core().compile_model(network, "CPU", self._settings)
            plan = _Plan(compiled, compiled.create_infer_request())
        # OpenVINO's exceptions have no common base but Exception.
        except Exception as error:
            raise EngineError(
                f"{_running()} cannot compile {self._shown} for the CPU "
                f"({reason(error)}); use --engine onnxruntime"
            ) from error
        put_away(self._mapped)
        return plan


@dataclass(frozen=True, slots=True)
class OpenVinoMaker:
    """Opens networks with OpenVINO on the CPU; an `EngineMaker`."""

    precision: Precision = "float32"
    """What float32 networks compute in."""
    threads: int = 2
    """Cores that one run may use, unless it is opened with another number."""
    cache: Path | None = None
    """Folder for compiled networks: int8 ones take seconds to compile."""
    concurrent = False
    int8 = False

    def __post_init__(self) -> None:
        """Make sure that this processor has the arithmetic.

        Raises:
            MissingExtraError: OpenVINO is not installed.
            EngineError: It cannot be loaded, or the processor lacks the arithmetic.
        """
        if self.precision == "bfloat16" and "BF16" not in capabilities():
            raise EngineError(
                "--precision bfloat16: this processor has no bfloat16 arithmetic "
                "(AVX512_BF16 or AMX), which would make it slower than float32; leave "
                "--precision out"
            )

    @property
    def description(self) -> str:
        """What will run the networks: `OpenVINO 2026.4.1 on the CPU, bfloat16`."""
        return described(self.precision)

    def open(
        self, model: Path | bytes, *, threads: int | None = None
    ) -> OpenVinoEngine:
        """Load and compile a network.

        Raises:
            BundleError: There is no such file, or it is no ONNX model.
            EngineError: OpenVINO cannot run the model.
        """
        return OpenVinoEngine(
            model,
            threads=threads or self.threads,
            precision=self.precision,
            cache=self.cache,
        )


def described(precision: Precision) -> str:
    """Return what runs a network, in words; with its own arithmetic if it has one."""
    said = f"{_running()} on the CPU"
    return f"{said}, bfloat16" if precision == "bfloat16" else said


def _running() -> str:
    return f"OpenVINO {version()}"


def _smallest(axis: int | str) -> int:
    return axis if isinstance(axis, int) else 1


def _axes(shape: Any) -> tuple[int | str, ...]:
    return tuple(_FREE if axis.is_dynamic else axis.get_length() for axis in shape)
