"""What is used of NVIDIA's bindings: the common ground of TensorRT 10, 11 and RTX.

The bindings have no type information of their own, and lose members from version to
version. Here is every one that this project touches, under its own name: mypy refuses
to use another, and a test looks these up in the real bindings of each version. The
classes whose names begin with `Rtx` add what TensorRT for RTX alone has.

Reference: NVIDIA's TensorRT Python API, 10.16 and 11.4; TensorRT for RTX 1.7.
"""

# ruff: noqa: D102 - the members are NVIDIA's, and documented there

from collections.abc import Sequence
from typing import Any, Protocol, SupportsIndex

Shape = Sequence[int]


class IHostMemory(Protocol):
    """Bytes that TensorRT owns."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


class ITensor(Protocol):
    """A tensor of a network that is being built."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> Shape: ...


class INetworkDefinition(Protocol):
    """A network that is being built."""

    @property
    def num_inputs(self) -> int: ...
    def get_input(self, index: int, /) -> ITensor: ...


class IOptimizationProfile(Protocol):
    """The sizes that free axes may have."""

    def set_shape(
        self, input: str, min: Shape, opt: Shape, max: Shape, /
    ) -> object: ...


class ITimingCache(Protocol):
    """How fast kernels were found to be."""

    def serialize(self) -> IHostMemory: ...


class IBuilderConfig(Protocol):
    """How to build."""

    def add_optimization_profile(self, profile: Any, /) -> int: ...
    def clear_flag(self, flag: Any, /) -> None: ...
    def create_timing_cache(
        self, serialized_timing_cache: bytes, /
    ) -> ITimingCache | None: ...
    def set_timing_cache(self, cache: Any, ignore_mismatch: bool, /) -> bool: ...
    def get_timing_cache(self) -> ITimingCache | None: ...


class RtxBuilderConfig(IBuilderConfig, Protocol):
    """Which GPUs to build for."""

    num_compute_capabilities: int

    def set_compute_capability(
        self, compute_capability: Any, index: SupportsIndex, /
    ) -> bool: ...


class Builder(Protocol):
    """Builds engines."""

    def create_network(self, flags: int, /) -> INetworkDefinition: ...
    def create_builder_config(self) -> IBuilderConfig: ...
    def create_optimization_profile(self) -> IOptimizationProfile: ...
    def build_serialized_network(
        self, network: Any, config: Any, /
    ) -> IHostMemory | None: ...


class ParserError(Protocol):
    """One thing that a parser did not understand."""

    def desc(self) -> str: ...
    def node_name(self) -> str: ...
    def node_operator(self) -> str: ...


class OnnxParser(Protocol):
    """Reads ONNX."""

    @property
    def num_errors(self) -> int: ...
    def get_error(self, index: int, /) -> ParserError: ...
    def parse(self, model: bytes, /) -> bool: ...
    def parse_from_file(self, model: str, /) -> bool: ...


class IExecutionContext(Protocol):
    """One use of an engine: shapes and addresses."""

    def set_input_shape(self, name: str, shape: Shape, /) -> bool: ...
    def get_tensor_shape(self, name: str, /) -> Shape: ...
    def set_tensor_address(self, name: str, memory: int, /) -> bool: ...
    def execute_async_v3(self, stream_handle: int, /) -> bool: ...


class ICudaEngine(Protocol):
    """A network that runs on one kind of GPU."""

    @property
    def num_io_tensors(self) -> int: ...
    def get_tensor_name(self, index: int, /) -> str: ...
    def get_tensor_mode(self, name: str, /) -> object: ...
    def get_tensor_dtype(self, name: str, /) -> Any: ...
    def get_tensor_shape(self, name: str, /) -> Shape: ...
    def get_tensor_profile_shape(
        self, name: str, profile_index: int, /
    ) -> Sequence[Shape]: ...
    def create_execution_context(self) -> IExecutionContext | None: ...


class RtxRuntimeCache(Protocol):
    """Kernels that were compiled on this machine."""

    def serialize(self) -> IHostMemory: ...
    def deserialize(self, blob: bytes, /) -> bool: ...


class RtxRuntimeConfig(Protocol):
    """How contexts are to be made."""

    dynamic_shapes_kernel_specialization_strategy: Any

    def create_runtime_cache(self) -> RtxRuntimeCache: ...
    def set_runtime_cache(self, cache: Any, /) -> object: ...


class RtxCudaEngine(ICudaEngine, Protocol):
    """An engine whose kernels are compiled where it runs."""

    def create_runtime_config(self) -> RtxRuntimeConfig: ...
    def create_execution_context(
        self, runtime_config: Any = None, /
    ) -> IExecutionContext | None: ...


class Runtime(Protocol):
    """Reads engines."""

    def deserialize_cuda_engine(
        self, serialized_engine: bytes, /
    ) -> ICudaEngine | None: ...


class NetworkDefinitionCreationFlag(Protocol):
    """How a network is to be read."""

    STRONGLY_TYPED: Any


class BuilderFlag(Protocol):
    """What a builder may do."""

    TF32: Any


class TensorIOMode(Protocol):
    """Where a tensor goes."""

    INPUT: Any
    OUTPUT: Any


class ILogger(Protocol):
    """Is told what happens; made to be inherited from."""

    INTERNAL_ERROR: Any
    ERROR: Any

    def log(self, severity: Any, msg: str, /) -> None: ...


class Tensorrt(Protocol):
    """The module `tensorrt` or `tensorrt_rtx`."""

    __version__: str
    NetworkDefinitionCreationFlag: NetworkDefinitionCreationFlag
    BuilderFlag: BuilderFlag
    TensorIOMode: TensorIOMode
    ILogger: Any

    def Builder(self, logger: Any, /) -> Builder: ...  # noqa: N802, it is a class
    def OnnxParser(self, network: Any, logger: Any, /) -> OnnxParser: ...  # noqa: N802
    def Runtime(self, logger: Any, /) -> Runtime: ...  # noqa: N802


class RtxStrategy(Protocol):
    """When kernels are compiled for the very size of an input."""

    EAGER: Any


class RtxTensorrt(Tensorrt, Protocol):
    """The module `tensorrt_rtx`."""

    DynamicShapesKernelSpecializationStrategy: RtxStrategy
    ComputeCapability: Any
