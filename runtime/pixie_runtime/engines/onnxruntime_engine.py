"""ONNX Runtime behind the `Engine` Protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import onnxruntime

from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.faults import failure, lacks_memory, misfit, uneven
from pixie_runtime.errors import BundleError, EngineError, PixieError

Provider = str | tuple[str, Mapping[str, str]]
"""ONNX Runtime's name of a device, alone or with options."""

_ERRORS_ONLY = 3
_SPIN_US = 20
_LACKING = ("is not a registered function/op", "Could not find an implementation for")
"""Parts of its messages about operators that it does not know, or not on the CPU."""
_DEVICE = ("EP_FAIL", "CUDA failure", "CUBLAS failure", "CUDNN failure")
"""Parts of its messages about devices that fail."""
_BOUNDS_SPINNING = (1, 27)
"""First version of ONNX Runtime that is known to obey `spin_duration_us`."""
_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
"""Numpy's names of types by ONNX Runtime's."""


class OnnxRuntimeEngine:
    """An ONNX file loaded, for the CPU by default.

    By default every session owns a pool of threads that spin while they wait, for
    milliseconds. A chain of small networks then fights itself for the cores, and
    everybody else's work: the five networks of one frame take 30 ms on two busy cores
    without spinning and 130 to 300 ms with it. Without any, on idle cores, waking a
    thread for each layer costs a fifth of a small network's time. Hence: threads spin
    for about as long as a layer lasts, and never between runs.
    """

    def __init__(
        self,
        model: Path | bytes,
        *,
        threads: int = 2,
        providers: Sequence[Provider] = ("CPUExecutionProvider",),
    ) -> None:
        """Load `model`, a file or its content.

        Args:
            model: The ONNX file; relative external data is not supported for bytes.
            threads: Cores that one run may use.
            providers: ONNX Runtime's names of devices, with their options, in order of
                preference.

        Raises:
            BundleError: There is no such file, or it is no ONNX model that this
                version of ONNX Runtime can run.
            EngineError: It lacks one of the model's operators, the device or the
                memory for it.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        for key, value in _spinning().items():
            options.add_session_config_entry(key, value)
        source = model if isinstance(model, bytes) else str(model)
        self._shown = _shown(model)
        if isinstance(model, Path) and not model.is_file():
            raise BundleError(f"no model file {model}: the installation is incomplete")
        try:
            # Its Python layer would go on with another device, and print that.
            session = onnxruntime.InferenceSession(
                source, options, providers=list(providers), enable_fallback=0
            )
        # ONNX Runtime's exceptions have no common base but Exception.
        except Exception as error:
            raise _refusal(self._shown, error) from error
        self._session: onnxruntime.InferenceSession | None = session
        self._providers = tuple(session.get_providers())
        self._description = described(self._providers[0])
        self._input_shapes = MappingProxyType(
            {i.name: tuple(i.shape) for i in session.get_inputs()}
        )
        self._types = {
            i.name: np.dtype(_TYPES[i.type])
            for i in session.get_inputs()
            if i.type in _TYPES
        }
        self._output_names = tuple(o.name for o in session.get_outputs())

    @property
    def providers(self) -> tuple[str, ...]:
        """What the session really runs on, as it says itself."""
        return self._providers

    @property
    def description(self) -> str:
        """What runs the network: `ONNX Runtime 1.32.0 on the CPU`."""
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
            EngineError: The device or ONNX Runtime failed, or has no memory for it.
            RuntimeError: The engine is closed.
            ValueError: An input is missing, unknown, or of a wrong shape or type.
        """
        if self._session is None:
            raise RuntimeError("this engine is closed")
        if inputs.keys() != self._input_shapes.keys():
            raise ValueError(
                f"inputs {sorted(inputs)} given, expected {sorted(self._input_shapes)}"
            )
        try:
            outputs = self._session.run(None, dict(inputs))
        except Exception as error:
            raise self._fault(inputs, error) from error
        return dict(zip(self._output_names, outputs, strict=True))

    def close(self) -> None:
        """Free the network; `infer` may not be called afterwards."""
        self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _fault(self, inputs: Mapping[str, AnyArray], error: Exception) -> Exception:
        """Return what to tell of a run that failed.

        ONNX Runtime refuses what does not fit by itself, so that it need not be looked
        for before every run.
        """
        fault = misfit(inputs, self._input_shapes, self._types) or uneven(
            inputs, self._input_shapes
        )
        if fault is not None:
            return ValueError(fault)
        return failure(self._description, f"run {self._shown}", error, _reason(error))


@dataclass(frozen=True, slots=True)
class OnnxRuntimeMaker:
    """Opens networks with ONNX Runtime on the CPU; an `EngineMaker`.

    `onnxruntime_gpu` has one for GPUs.
    """

    threads: int = 2
    """Cores that one run may use, unless it is opened with another number."""
    int8: bool = False
    """See `EngineMaker.int8`."""
    concurrent = True

    @property
    def description(self) -> str:
        """What will run the networks: `ONNX Runtime 1.32.0 on the CPU`."""
        said = described("CPUExecutionProvider")
        return f"{said}, hands' landmarks in int8" if self.int8 else said

    def open(
        self, model: Path | bytes, *, threads: int | None = None
    ) -> OnnxRuntimeEngine:
        """Load a network.

        Raises:
            BundleError: There is no such file, or it is no ONNX model that this
                version of ONNX Runtime can run.
            EngineError: It lacks one of the model's operators, or the memory for it.
        """
        return OnnxRuntimeEngine(model, threads=threads or self.threads)


def described(provider: str) -> str:
    """Return what runs a network, in words, by ONNX Runtime's name of the device."""
    device = {
        "CPUExecutionProvider": "the CPU",
        "CUDAExecutionProvider": "the GPU with CUDA",
        "TensorrtExecutionProvider": "the GPU with TensorRT",
    }.get(provider, provider)
    return f"ONNX Runtime {onnxruntime.__version__} on {device}"


def _refusal(shown: str, error: Exception) -> PixieError:
    """Return what to tell of a model that could not be loaded."""
    reason = _reason(error)
    running = f"ONNX Runtime {onnxruntime.__version__}"
    if any(sign in str(error) for sign in _LACKING):
        return EngineError(
            f"{running} lacks an operator of {shown}: {reason}; install a newer one, "
            "or use another --engine"
        )
    # A device that cannot be set up has Python's classes, a bad model never has.
    own_fault = isinstance(error, (RuntimeError, ValueError)) or any(
        sign in str(error) for sign in _DEVICE
    )
    if own_fault or lacks_memory(error):
        return failure(running, f"load {shown}", error, reason)
    return BundleError(f"{shown} is not a model that {running} can run: {reason}")


def _reason(error: Exception) -> str:
    """Return the first line of a message."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _shown(model: Path | bytes) -> str:
    """Return how a model is called in errors."""
    return "the model given as bytes" if isinstance(model, bytes) else str(model)


def _spinning() -> dict[str, str]:
    """Return the session options that say how threads wait for work."""
    version = tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])
    if version < _BOUNDS_SPINNING:
        return {"session.intra_op.allow_spinning": "0"}
    return {
        "session.intra_op.allow_spinning": "1",
        "session.intra_op.spin_duration_us": str(_SPIN_US),
        "session.force_spinning_stop": "1",
    }
