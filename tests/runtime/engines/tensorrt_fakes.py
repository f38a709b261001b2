"""A GPU and a TensorRT made of memory and ONNX Runtime.

Addresses are real ones, work on the stream is done at once or recorded, plans are ONNX
models: buffers that overlap, copies that are missing or go astray and shapes that are
not told show as wrong numbers.
"""

import ctypes
from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto

from pixie_runtime.engines.tensorrt_device import Gpu, PinnedMemory, Recording
from pixie_runtime.errors import EngineError

ADA = Gpu("NVIDIA GeForce RTX 4090", (8, 9), "13.0")
AMPERE = Gpu("NVIDIA GeForce RTX 3060", (8, 6), "13.0")
STREAM = 77
ALIGNMENT = 256
POISON = 0xAB
_NAMES = {1: "FLOAT", 2: "UINT8", 3: "INT8", 6: "INT32", 7: "INT64", 10: "HALF"}
_NUMPY = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 10: "float16"}


@dataclass
class FakeDevice:
    """A GPU of host memory that counts what is asked of it."""

    gpu: Gpu = ADA
    memory: int = 1 << 30
    can_record: bool = True
    calls: list[str] = field(default_factory=list)
    stream: int = STREAM
    lock: Any = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self._pieces: dict[int, np.ndarray] = {}
        self._recorded: list[Callable[[], None]] | None = None

    @property
    def pieces(self) -> int:
        """How many pieces of memory are not given back."""
        return len(self._pieces)

    def free_memory(self) -> int:
        return self.memory

    def allocate(self, n_bytes: int) -> int:
        if n_bytes > self.memory:
            raise EngineError("cudaMalloc: out of GPU memory")
        whole = np.full(n_bytes + ALIGNMENT, POISON, np.uint8)
        address = -(-whole.ctypes.data // ALIGNMENT) * ALIGNMENT
        self._pieces[address] = whole
        return address

    def release(self, address: int) -> None:
        del self._pieces[address]

    def allocate_pinned(self, n_bytes: int) -> PinnedMemory:
        content = np.full(n_bytes, POISON, np.uint8)
        self._pieces[content.ctypes.data] = content
        return PinnedMemory(content.ctypes.data, content)

    def release_pinned(self, memory: PinnedMemory) -> None:
        del self._pieces[memory.address]

    def copy_in(self, address: int, source: PinnedMemory) -> None:
        n_bytes = source.content.nbytes
        self.put("in", lambda: ctypes.memmove(address, source.address, n_bytes))

    def copy_out(self, target: PinnedMemory, address: int) -> None:
        n_bytes = target.content.nbytes
        self.put("out", lambda: ctypes.memmove(target.address, address, n_bytes))

    def put(self, name: str, work: Callable[[], object]) -> None:
        """Do work, or record it."""
        if self._recorded is None:
            self.calls.append(name)
            work()
        else:
            self._recorded.append(lambda: (work(), None)[1])

    def record(self, work: Callable[[], None]) -> Recording | None:
        if not self.can_record:
            return None
        self._recorded = []
        work()
        recorded, self._recorded = self._recorded, None
        return FakeRecording(self, recorded)

    def synchronise(self) -> None:
        self.calls.append("wait")

    def close(self) -> None:
        pass


@dataclass
class FakeRecording:
    device: FakeDevice
    work: list[Callable[[], None]]

    def launch(self) -> None:
        self.device.calls.append("launch")
        for step in self.work:
            step()

    def close(self) -> None:
        self.work = []


class FakeLogger:
    INTERNAL_ERROR, ERROR, WARNING = range(3)

    def log(self, severity: int, msg: str) -> None:
        raise NotImplementedError


class FakeTensorrt:
    """The module `tensorrt`, as far as `tensorrt_api` goes."""

    NetworkDefinitionCreationFlag: Any = SimpleNamespace(STRONGLY_TYPED=1)
    BuilderFlag: Any = SimpleNamespace(TF32="tf32")
    TensorIOMode: Any = SimpleNamespace(INPUT="input", OUTPUT="output")
    ILogger: Any = FakeLogger

    def __init__(self, device: FakeDevice, version: str = "11.4.0.106") -> None:
        self.__version__ = version
        self.device = device
        self.refuses: dict[str, str] = {}
        """What fails, with the message that is logged: "build", "read", "run", or
        the class that makes nothing: "Builder"."""
        self.unknown_operator = ""
        self.last_config: FakeConfig | None = None

    def refused(self, what: str, logger: Any) -> bool:
        if what in self.refuses:
            logger.log(FakeLogger.ERROR, self.refuses[what])
        return what in self.refuses

    def require(self, what: str, logger: Any) -> None:
        """Fail as pybind11 does where the library's factory returns nothing."""
        if self.refused(what, logger):
            raise TypeError("pybind11::init(): factory function returned nullptr")

    def Builder(self, logger: Any) -> "FakeBuilder":  # noqa: N802, it is a class
        self.require("Builder", logger)
        return FakeBuilder(self, logger)

    def OnnxParser(self, network: Any, logger: Any) -> "FakeParser":  # noqa: N802
        self.require("OnnxParser", logger)
        return FakeParser(self, network)

    def Runtime(self, logger: Any) -> "FakeRuntime":  # noqa: N802
        self.require("Runtime", logger)
        return FakeRuntime(self, logger)


@dataclass
class FakeBuilder:
    trt: FakeTensorrt
    logger: Any

    def create_network(self, flags: int) -> "FakeNetwork":
        assert flags == 1 << 1, "networks are strongly typed"
        return FakeNetwork()

    def create_builder_config(self) -> "FakeConfig":
        self.trt.last_config = FakeConfig()
        return self.trt.last_config

    def create_optimization_profile(self) -> "FakeProfile":
        return FakeProfile()

    def build_serialized_network(self, network: Any, config: Any) -> bytes | None:
        if self.trt.refused("build", self.logger):
            return None
        ranges = {k: v for p in config.profiles for k, v in p.shapes.items()}
        model = network.model
        entry = model.metadata_props.add()
        entry.key, entry.value = "ranges", repr(ranges)
        content: bytes = model.SerializeToString()
        return content


class FakeProfile:
    def __init__(self) -> None:
        self.shapes: dict[str, list[tuple[int, ...]]] = {}

    def set_shape(
        self, name: str, low: Sequence[int], opt: Sequence[int], high: Sequence[int]
    ) -> None:
        self.shapes[name] = [tuple(low), tuple(opt), tuple(high)]


class FakeConfig:
    num_compute_capabilities = 0

    def __init__(self) -> None:
        self.profiles: list[FakeProfile] = []
        self.cleared: list[str] = []
        self.timing = FakeTiming(b"")

    def add_optimization_profile(self, profile: FakeProfile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def clear_flag(self, flag: str) -> None:
        self.cleared.append(flag)

    def create_timing_cache(self, known: bytes) -> "FakeTiming | None":
        fits = known in (b"", b"+measured", b"+measured+measured")
        return FakeTiming(known) if fits else None

    def set_timing_cache(self, cache: "FakeTiming", ignore_mismatch: bool) -> bool:
        if not isinstance(cache, FakeTiming):
            raise TypeError("set_timing_cache(): incompatible function arguments")
        assert not ignore_mismatch
        self.timing = cache
        return True

    def get_timing_cache(self) -> "FakeTiming":
        return FakeTiming(self.timing.content + b"+measured")


@dataclass
class FakeTiming:
    content: bytes

    def serialize(self) -> bytes:
        return self.content


class FakeNetwork:
    model: onnx.ModelProto

    @property
    def num_inputs(self) -> int:
        return len(self.model.graph.input)

    def get_input(self, index: int) -> Any:
        tensor = self.model.graph.input[index]
        return SimpleNamespace(name=tensor.name, shape=declared(tensor))


@dataclass
class FakeParser:
    trt: FakeTensorrt
    network: FakeNetwork
    num_errors: int = 0

    def parse(self, model: bytes) -> bool:
        return self._take(onnx.load_from_string(model))

    def parse_from_file(self, model: str) -> bool:
        return self._take(onnx.load(model))

    def get_error(self, index: int) -> Any:
        return SimpleNamespace(
            desc=lambda: "no importer registered\nfor this op",
            node_name=lambda: "node_7",
            node_operator=lambda: self.trt.unknown_operator,
        )

    def _take(self, model: onnx.ModelProto) -> bool:
        self.network.model = model
        unknown = self.trt.unknown_operator
        self.num_errors = sum(n.op_type == unknown for n in model.graph.node)
        return self.num_errors == 0


@dataclass
class FakeRuntime:
    trt: FakeTensorrt
    logger: Any

    def deserialize_cuda_engine(self, plan: bytes) -> "FakeEngine | None":
        if self.trt.refused("read", self.logger):
            return None
        return FakeEngine(self.trt, plan, self.logger)


class FakeEngine:
    """A network on the fake GPU."""

    def __init__(self, trt: FakeTensorrt, plan: bytes, logger: Any) -> None:
        self.trt, self.logger = trt, logger
        model = onnx.load_from_string(plan)
        self.inputs = {t.name: t for t in model.graph.input}
        self.outputs = {t.name: t for t in model.graph.output}
        self.tensors = {**self.inputs, **self.outputs}
        ranges = {p.key: p.value for p in model.metadata_props}["ranges"]
        self.ranges: dict[str, list[tuple[int, ...]]] = literal_eval(ranges)
        self.session = onnxruntime.InferenceSession(plan)

    @property
    def num_io_tensors(self) -> int:
        return len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        names = [str(name) for name in self.tensors]
        return names[index]

    def get_tensor_mode(self, name: str) -> str:
        return "input" if name in self.inputs else "output"

    def get_tensor_dtype(self, name: str) -> Any:
        return SimpleNamespace(name=_NAMES[self.elem_type(name)])

    def elem_type(self, name: str) -> int:
        return int(self.tensors[name].type.tensor_type.elem_type)

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return declared(self.tensors[name])

    def get_tensor_profile_shape(self, name: str, index: int) -> list[tuple[int, ...]]:
        assert index == 0
        return self.ranges[name]

    def create_execution_context(self) -> "FakeContext | None":
        if self.trt.refused("run", self.logger):
            return None
        return FakeContext(self)


class FakeContext:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.shapes = {
            name: declared(tensor)
            for name, tensor in engine.inputs.items()
            if -1 not in declared(tensor)
        }
        self.addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        ranges = self.engine.ranges.get(name)
        low, high = (ranges[0], ranges[2]) if ranges else (self.shapes[name],) * 2
        fits = all(a <= b <= c for a, b, c in zip(low, shape, high, strict=True))
        self.shapes[name] = tuple(shape)
        return fits

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self.shapes:
            return self.shapes[name]
        rows = next(iter(self.shapes.values()))[0]
        found = declared(self.engine.outputs[name])
        return tuple(rows if size == -1 else size for size in found)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return address % ALIGNMENT == 0

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == STREAM
        # A recording keeps the sizes and addresses of the moment it was made.
        shapes, addresses = dict(self.shapes), dict(self.addresses)

        def work() -> None:
            feeds = {
                name: self._at(name, shapes[name], addresses[name])
                for name in self.engine.inputs
            }
            names = list(self.engine.outputs)
            results = self.engine.session.run(names, feeds)
            for name, result in zip(names, results, strict=True):
                self._at(name, result.shape, addresses[name])[...] = result

        self.engine.trt.device.put("network", work)
        return True

    def _at(self, name: str, shape: Sequence[int], address: int) -> np.ndarray:
        dtype = np.dtype(_NUMPY[self.engine.elem_type(name)])
        n_bytes = int(np.prod(shape)) * dtype.itemsize
        memory = (ctypes.c_uint8 * n_bytes).from_address(address)
        return np.ctypeslib.as_array(memory).view(dtype).reshape(shape)


def declared(tensor: onnx.ValueInfoProto) -> tuple[int, ...]:
    dims = tensor.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") else -1 for d in dims)


def linear(n_in: int = 2, n_out: int = 64, seed: int = 0) -> bytes:
    """A network y = x W of random weights, any number of rows."""
    weights = np.random.default_rng(seed).normal(size=(n_in, n_out))
    make = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "W"], ["y"], name="node_7")],
        "linear",
        [make("x", TensorProto.FLOAT, ["n", n_in])],
        [make("y", TensorProto.FLOAT, ["n", n_out])],
        [onnx.numpy_helper.from_array(weights.astype(np.float32), "W")],
    )
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    return bytes(model.SerializeToString())
