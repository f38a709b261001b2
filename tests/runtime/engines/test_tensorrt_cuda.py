"""CUDA's errors, as a runtime that fails in many ways and the real one report them."""

import ctypes
import importlib
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from pixie_runtime.engines.cuda_driver import gpu_fault
from pixie_runtime.engines.tensorrt_cuda import USED, CudaDevice
from pixie_runtime.engines.tensorrt_library import LibraryKind
from pixie_runtime.errors import EngineError, MissingExtraError

OUT_OF_MEMORY, OLD_DRIVER, NO_DEVICE, INVALID_CAPTURE = 2, 35, 100, 901


@dataclass
class FakeRuntime:
    """`cuda.bindings.runtime` whose calls answer as they are told."""

    answers: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    cudaMemcpyKind: Any = field(  # noqa: N815, CUDA's name
        default_factory=lambda: SimpleNamespace(
            cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2
        )
    )
    cudaStreamCaptureMode: Any = field(  # noqa: N815, likewise
        default_factory=lambda: SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
    )

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> tuple[Any, ...]:
            self.called.append(name)
            return self.answers.get(name, USUAL.get(name, (0,)))

        return call


HOST = (ctypes.c_uint8 * 16)()
GPU = SimpleNamespace(name=b"NVIDIA L4\x00\x00", major=8, minor=9)
USUAL: dict[str, tuple[Any, ...]] = {
    "cudaDriverGetVersion": (0, 13020),
    "cudaRuntimeGetVersion": (0, 13050),
    "cudaGetDeviceCount": (0, 1),
    "cudaGetDeviceProperties": (0, GPU),
    "cudaStreamCreateWithFlags": (0, 5),
    "cudaMalloc": (0, 4096),
    "cudaHostAlloc": (0, ctypes.addressof(HOST)),
    "cudaMemGetInfo": (0, 100, 200),
    "cudaStreamEndCapture": (0, 6),
    "cudaGraphInstantiate": (0, 7),
}


def test_the_gpu_tells_its_name_kind_and_driver() -> None:
    gpu = CudaDevice(FakeRuntime()).gpu
    assert (gpu.name, gpu.target, gpu.driver) == ("NVIDIA L4", "sm89", "13.2")
    assert str(gpu) == "NVIDIA L4 (SM89)"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"cudaDriverGetVersion": (0, 0)}, "no NVIDIA driver on this machine"),
        (
            {
                "cudaDriverGetVersion": (0, 12040),
                "cudaGetDeviceCount": (OLD_DRIVER, None),
            },
            "too old: it knows CUDA 12.4, expected CUDA 13 or newer; update",
        ),
        ({"cudaGetDeviceCount": (NO_DEVICE, None)}, "no NVIDIA GPU that CUDA can use"),
        ({"cudaGetDeviceCount": (0, 0)}, "no NVIDIA GPU that CUDA can use"),
        ({"cudaGetDeviceCount": (999, None)}, r"failed with CUDA error \(999\)"),
    ],
    ids=["no driver", "old driver", "no device", "none visible", "unknown"],
)
def test_a_machine_without_a_usable_gpu_is_told_so(
    answers: dict[str, tuple[Any, ...]], sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence) as error:
        CudaDevice(FakeRuntime(answers))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("call", ["cudaMalloc", "cudaHostAlloc"])
def test_memory_that_is_not_there_is_said_with_what_to_do(call: str) -> None:
    device = CudaDevice(FakeRuntime({call: (OUT_OF_MEMORY, None)}))
    take = device.allocate if call == "cudaMalloc" else device.allocate_pinned
    with pytest.raises(EngineError, match="out of GPU memory; close other programs"):
        take(1 << 40)


def test_pinned_memory_is_a_view_not_a_copy() -> None:
    memory = CudaDevice(FakeRuntime()).allocate_pinned(16)
    memory.content[3] = 9
    assert HOST[3] == 9


def test_recorded_work_is_launched_and_freed() -> None:
    runtime = FakeRuntime()
    device = CudaDevice(runtime)
    recording = device.record(lambda: None)
    assert recording is not None
    recording.launch()
    recording.close()
    assert runtime.called[-6:] == [
        "cudaStreamBeginCapture",
        "cudaStreamEndCapture",
        "cudaGraphInstantiate",
        "cudaGraphDestroy",
        "cudaGraphLaunch",
        "cudaGraphExecDestroy",
    ]


@pytest.mark.parametrize(
    "answers",
    [
        {"cudaStreamEndCapture": (INVALID_CAPTURE, None)},
        {"cudaGraphInstantiate": (INVALID_CAPTURE, None)},
    ],
)
def test_what_cannot_be_recorded_is_no_error(answers: dict[str, Any]) -> None:
    assert CudaDevice(FakeRuntime(answers)).record(lambda: None) is None


def test_work_that_fails_while_recording_ends_the_recording() -> None:
    runtime = FakeRuntime()

    def work() -> None:
        raise EngineError("refused")

    assert CudaDevice(runtime).record(work) is None
    assert runtime.called[-1] == "cudaStreamEndCapture"


def test_all_that_is_used_is_in_nvidias_bindings() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime")
    assert [name for name in USED if not hasattr(runtime, name)] == []
    assert hasattr(runtime.cudaMemcpyKind, "cudaMemcpyHostToDevice")
    assert hasattr(runtime.cudaMemcpyKind, "cudaMemcpyDeviceToHost")
    assert hasattr(runtime.cudaStreamCaptureMode, "cudaStreamCaptureModeThreadLocal")


def test_all_that_is_called_is_listed_as_used() -> None:
    runtime = FakeRuntime()
    device = CudaDevice(runtime)
    device.free_memory()
    device.release(device.allocate(1))
    memory = device.allocate_pinned(16)
    device.copy_in(0, memory)
    device.copy_out(memory, 0)
    recording = device.record(lambda: None)
    assert recording is not None
    recording.launch()
    recording.close()
    device.release_pinned(memory)
    device.synchronise()
    device.close()
    kinds = {"cudaMemcpyKind", "cudaStreamCaptureMode"}
    assert set(runtime.called) == set(USED) - kinds


@pytest.mark.parametrize("library", get_args(LibraryKind))
def test_missing_bindings_name_the_extra_of_the_library_that_wants_them(
    library: LibraryKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    with pytest.raises(MissingExtraError, match=rf'"pixie-live\[{library}\]"'):
        CudaDevice(library=library)


@pytest.mark.skipif(gpu_fault() is None, reason="there is a GPU")
def test_the_real_runtime_without_a_gpu_gives_one_sentence() -> None:
    pytest.importorskip("cuda.bindings.runtime")
    with pytest.raises(EngineError, match="NVIDIA") as error:
        CudaDevice(importlib.import_module("cuda.bindings.runtime"))
    assert "\n" not in str(error.value)
