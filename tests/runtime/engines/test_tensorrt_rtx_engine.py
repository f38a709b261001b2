"""What TensorRT-RTX adds to TensorRT: kernels compiled here, and kept."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pixie_export.tensorrt_bundle import Job, Target, build_engines
from pixie_runtime.engines.cuda_driver import gpu_fault
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.engines.tensorrt_rtx_engine import TensorrtRtxMaker
from pixie_runtime.errors import EngineError
from tests.runtime.engines.tensorrt_fakes import (
    FakeContext,
    FakeDevice,
    FakeEngine,
    FakeRuntime,
    FakeTensorrt,
    linear,
)


@dataclass
class FakeKernels:
    """IRuntimeCache: a kernel is compiled for every context that is made."""

    content: bytes = b""

    def serialize(self) -> bytes:
        return self.content

    def deserialize(self, blob: bytes) -> bool:
        fits = blob.startswith(b"kernel")
        self.content = blob if fits else b""
        return fits


@dataclass
class FakeRuntimeConfig:
    dynamic_shapes_kernel_specialization_strategy: str = "lazy"
    kernels: FakeKernels | None = None

    def create_runtime_cache(self) -> FakeKernels:
        return FakeKernels()

    def set_runtime_cache(self, kernels: FakeKernels) -> None:
        self.kernels = kernels


class FakeRtxEngine(FakeEngine):
    trt: "FakeRtx"

    def create_runtime_config(self) -> FakeRuntimeConfig:
        return FakeRuntimeConfig()

    def create_execution_context(
        self, runtime_config: FakeRuntimeConfig | None = None
    ) -> FakeContext | None:
        assert runtime_config is not None
        assert runtime_config.kernels is not None
        strategy = runtime_config.dynamic_shapes_kernel_specialization_strategy
        self.trt.strategies.append(strategy)
        self.trt.known.append(runtime_config.kernels.content)
        runtime_config.kernels.content += b"kernel"
        return super().create_execution_context()


@dataclass
class FakeRtxRuntime(FakeRuntime):
    def deserialize_cuda_engine(self, plan: bytes) -> FakeEngine:
        return FakeRtxEngine(self.trt, plan, self.logger)


class FakeRtx(FakeTensorrt):
    """The module `tensorrt_rtx`."""

    DynamicShapesKernelSpecializationStrategy: Any = SimpleNamespace(EAGER="eager")
    ComputeCapability: Any = SimpleNamespace(SM89="sm89")

    def __init__(self, device: FakeDevice) -> None:
        super().__init__(device, "1.7.1.116")
        self.strategies: list[str] = []
        self.known: list[bytes] = []

    def Runtime(self, logger: Any) -> FakeRuntime:  # noqa: N802, it is a class
        return FakeRtxRuntime(self, logger)


@dataclass
class Machine:
    cache: Path
    device: FakeDevice = field(default_factory=FakeDevice)

    def __post_init__(self) -> None:
        self.rtx = FakeRtx(self.device)
        self.library = Library("tensorrt-rtx", self.rtx)
        self.model = linear()
        # A fake builder has no targets; the record has.
        jobs, target = [Job("n", self.model)], Target(("sm86", "sm89"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pixie_export.tensorrt_building._aim", lambda *_: None)
            list(build_engines(self.library, jobs, target, self.cache))

    def run(self) -> np.ndarray:
        maker = TensorrtRtxMaker(
            cache=self.cache, library=self.library, device=self.device
        )
        with maker.open(self.model) as engine:
            assert engine.description == (
                "TensorRT-RTX 1.7.1.116 on NVIDIA GeForce RTX 4090 (SM89)"
            )
            found: np.ndarray = engine.infer({"x": np.ones((1, 2), np.float32)})["y"]
        return found


def test_kernels_are_compiled_for_the_size_at_once_and_kept(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    first, second = machine.run(), machine.run()
    np.testing.assert_array_equal(first, second)
    assert machine.rtx.strategies == ["eager", "eager"]
    assert machine.rtx.known == [b"", b"kernel"]


def test_kernels_of_another_driver_are_compiled_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run()
    (kept,) = tmp_path.glob("*.kernels")
    kept.write_bytes(b"of another driver")
    machine.run()
    assert machine.rtx.known == [b"", b""]
    assert kept.read_bytes() == b"kernel"


def test_kernels_that_cannot_be_read_are_compiled_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run()
    (kept,) = tmp_path.glob("*.kernels")
    kept.unlink()
    # Whoever runs the tests, root included, cannot read this.
    kept.symlink_to("/proc/self/mem")
    machine.run()
    assert machine.rtx.known == [b"", b""]


def test_kernels_that_cannot_be_kept_are_no_error(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run()
    (kept,) = tmp_path.glob("*.kernels")
    kept.unlink()
    kept.mkdir()
    (kept / "in the way").touch()
    machine.run()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(gpu_fault() is None, reason="there is a GPU")
def test_without_a_gpu_the_real_library_is_refused_in_one_sentence(
    tmp_path: Path,
) -> None:
    pytest.importorskip("tensorrt_rtx")
    with pytest.raises(EngineError, match="NVIDIA") as error:
        TensorrtRtxMaker(cache=tmp_path)
    assert "\n" not in str(error.value)
