"""CUDA's runtime, from NVIDIA's `cuda-bindings`, behind the `Device` Protocol.

Not run on a GPU yet: written against cuda-bindings 13, whose every member that is used
here a test looks up; only its errors could be tried.
"""

import ctypes
from collections.abc import Callable
from importlib import import_module
from threading import RLock
from typing import Any

import numpy as np

from pixie_runtime.engines.tensorrt_device import Gpu, PinnedMemory, Recording
from pixie_runtime.engines.tensorrt_library import LibraryKind
from pixie_runtime.errors import EngineError, MissingExtraError

USED = (
    "cudaDriverGetVersion",
    "cudaFree",
    "cudaFreeHost",
    "cudaGetDeviceCount",
    "cudaGetDeviceProperties",
    "cudaGraphDestroy",
    "cudaGraphExecDestroy",
    "cudaGraphInstantiate",
    "cudaGraphLaunch",
    "cudaHostAlloc",
    "cudaMalloc",
    "cudaMemGetInfo",
    "cudaMemcpyAsync",
    "cudaMemcpyKind",
    "cudaRuntimeGetVersion",
    "cudaStreamBeginCapture",
    "cudaStreamCaptureMode",
    "cudaStreamCreateWithFlags",
    "cudaStreamDestroy",
    "cudaStreamEndCapture",
    "cudaStreamSynchronize",
)
"""What is used of `cuda.bindings.runtime`."""

_SUCCESS, _OUT_OF_MEMORY, _OLD_DRIVER, _NO_DEVICE = 0, 2, 35, 100
"""Values of cudaError_t."""
_NON_BLOCKING, _PORTABLE = 1, 1
"""cudaStreamNonBlocking, cudaHostAllocPortable."""


class CudaDevice:
    """The first GPU that CUDA shows; `CUDA_VISIBLE_DEVICES` chooses another."""

    def __init__(
        self, runtime: Any | None = None, *, library: LibraryKind = "tensorrt"
    ) -> None:
        """Find the GPU and make a stream.

        Args:
            library: who uses it; its extra brings cuda-bindings.
            runtime: what stands for `cuda.bindings.runtime`, in tests.

        Raises:
            MissingExtraError: cuda-bindings is not installed.
            EngineError: no GPU, no driver, or one that is too old.
        """
        self._cuda = runtime or _bindings(library)
        self._lock = RLock()
        self._gpu = self._find()
        self._stream = self._call("cudaStreamCreateWithFlags", _NON_BLOCKING)

    @property
    def lock(self) -> RLock:
        """Held while a run uses the stream."""
        return self._lock

    @property
    def gpu(self) -> Gpu:
        """Which one."""
        return self._gpu

    @property
    def stream(self) -> int:
        """Handle of the stream that all work goes to."""
        return int(self._stream)

    def free_memory(self) -> int:
        """Return how many bytes of device memory are free."""
        free, _ = self._call("cudaMemGetInfo")
        return int(free)

    def allocate(self, n_bytes: int) -> int:
        """Return the address of new device memory; cudaMalloc aligns to 256 bytes."""
        return int(self._call("cudaMalloc", n_bytes))

    def release(self, address: int) -> None:
        """Free what `allocate` gave."""
        self._call("cudaFree", address)

    def allocate_pinned(self, n_bytes: int) -> PinnedMemory:
        """Return new host memory."""
        address = int(self._call("cudaHostAlloc", n_bytes, _PORTABLE))
        content = (ctypes.c_uint8 * n_bytes).from_address(address)
        return PinnedMemory(address, np.ctypeslib.as_array(content))

    def release_pinned(self, memory: PinnedMemory) -> None:
        """Free what `allocate_pinned` gave."""
        self._call("cudaFreeHost", memory.address)

    def copy_in(self, address: int, source: PinnedMemory) -> None:
        """Put a copy to the device on the stream."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(address, source.address, source.content.nbytes, kind)

    def copy_out(self, target: PinnedMemory, address: int) -> None:
        """Put a copy from the device on the stream."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(target.address, address, target.content.nbytes, kind)

    def record(self, work: Callable[[], None]) -> Recording | None:
        """Run `work` and record it as a CUDA graph; None if that cannot be."""
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", self._stream, mode)
        failed = False
        try:
            work()
        except EngineError:
            failed = True
        finally:
            code, graph = self._cuda.cudaStreamEndCapture(self._stream)
        if failed or int(code) != _SUCCESS:
            return None
        code, executable = self._cuda.cudaGraphInstantiate(graph, 0)
        self._call("cudaGraphDestroy", graph)
        if int(code) != _SUCCESS:
            return None
        return _Graph(self._call, executable, self._stream)

    def synchronise(self) -> None:
        """Wait until the stream has done everything."""
        self._call("cudaStreamSynchronize", self._stream)

    def close(self) -> None:
        """Free the stream."""
        self._call("cudaStreamDestroy", self._stream)

    def _copy(self, to: int, source: int, n_bytes: int, kind: Any) -> None:
        self._call("cudaMemcpyAsync", to, source, n_bytes, kind, self._stream)

    def _find(self) -> Gpu:
        driver = int(self._call("cudaDriverGetVersion"))
        needed = int(self._call("cudaRuntimeGetVersion"))
        if driver == 0:
            raise EngineError(
                "there is no NVIDIA driver on this machine; install one, or use "
                "--engine onnxruntime"
            )
        code, count = self._cuda.cudaGetDeviceCount()
        if int(code) == _OLD_DRIVER:
            raise EngineError(
                f"the NVIDIA driver is too old: it knows CUDA {_version(driver)}, "
                f"expected CUDA {needed // 1000} or newer; update the driver"
            )
        if int(code) == _NO_DEVICE or (int(code) == _SUCCESS and count < 1):
            raise EngineError(
                "there is no NVIDIA GPU that CUDA can use; look at nvidia-smi and "
                "CUDA_VISIBLE_DEVICES, or use --engine onnxruntime"
            )
        self._check("cudaGetDeviceCount", code)
        found = self._call("cudaGetDeviceProperties", 0)
        return Gpu(
            bytes(found.name).split(b"\0")[0].decode("utf-8", "replace"),
            (int(found.major), int(found.minor)),
            _version(driver),
        )

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call CUDA; return its one result, or all of them, or None."""
        code, *results = getattr(self._cuda, name)(*arguments)
        self._check(name, code)
        if not results:
            return None
        return results[0] if len(results) == 1 else results

    def _check(self, name: str, code: Any) -> None:
        if int(code) == _SUCCESS:
            return
        if int(code) == _OUT_OF_MEMORY:
            raise EngineError(
                f"{name}: out of GPU memory; close other programs that use the GPU, "
                "use an fp16 bundle (pixie-export precision), or --engine onnxruntime"
            )
        raise EngineError(
            f"{name} failed with {getattr(code, 'name', 'CUDA error')} ({int(code)}); "
            "the GPU may have been lost: look at nvidia-smi and start again"
        )


class _Graph:
    """An executable CUDA graph."""

    def __init__(
        self, call: Callable[..., Any], executable: object, stream: object
    ) -> None:
        self._call, self._executable, self._stream = call, executable, stream

    def launch(self) -> None:
        """Put the work on the stream."""
        self._call("cudaGraphLaunch", self._executable, self._stream)

    def close(self) -> None:
        """Forget the work."""
        self._call("cudaGraphExecDestroy", self._executable)


def _bindings(library: LibraryKind) -> Any:
    try:
        return import_module("cuda.bindings.runtime")
    except ModuleNotFoundError as error:
        raise MissingExtraError("an engine on a GPU", library) from error
    except (ImportError, OSError) as error:
        raise EngineError(
            f"cuda-bindings is installed but cannot be loaded: {error}; install it "
            f'again with pip install "pixie-live[{library}]"'
        ) from error


def _version(number: int) -> str:
    """Return 13020, as CUDA counts, as 13.2."""
    return f"{number // 1000}.{number % 1000 // 10}"
