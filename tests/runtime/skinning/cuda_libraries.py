"""PyCUDA and cuda-core as far as we use them, with the processor for a card.

Their launches run the real kernels; arguments are packed as the libraries pack them:
by numpy's type in PyCUDA (`_build_arg_buf`), ints as pointers in cuda-core
(`ParamHolder`).
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.skinning.device import Argument
from pixie_runtime.skinning.plan import Launch
from tests.runtime.skinning.cpu_device import CpuDevice

Modules = dict[str, ModuleType]
Done = tuple[str]
"""What cuda-bindings' functions return without a result."""


class RefusedError(Exception):
    """The libraries' own error."""


def module(name: str, **names: Any) -> ModuleType:
    made = ModuleType(name)
    for key, value in names.items():
        setattr(made, key, value)
    return made


@dataclass(frozen=True, kw_only=True)
class LaunchConfig:
    """cuda-core's, with the keywords that we give it."""

    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shmem_size: int


def _packed(argument: object) -> Argument:
    if isinstance(argument, np.uintp):
        return ctypes.c_void_p(int(argument))
    assert isinstance(argument, np.int32), f"PyCUDA cannot pack {argument!r}"
    return ctypes.c_int32(int(argument))


def pycuda(
    library: Path,
    *,
    capability: tuple[int, int] = (8, 9),
    memory: int = 1 << 30,
    cards: int = 1,
) -> Modules:
    """Return PyCUDA's modules; `memory` is the card's, in bytes."""
    cpu = CpuDevice(library)
    left = [memory]

    class Allocation(int):
        def free(self) -> None:
            left[0] = memory

    def mem_alloc(nbytes: int) -> Allocation:
        left[0] -= nbytes
        if left[0] < 0:
            raise RefusedError("cuMemAlloc failed: out of memory")
        return Allocation(cpu.allocate(nbytes))

    def function(kernel: str) -> Callable[..., None]:
        def call(
            *given: object,
            grid: tuple[int, int, int],
            block: tuple[int, int, int],
            shared: int,
            stream: object,
        ) -> None:
            assert stream is not None
            launch = Launch(kernel, grid, block, shared, ())
            cpu.launch(launch, [_packed(a) for a in given])

        return call

    def open_card(number: int) -> SimpleNamespace:
        if number >= cards:
            raise RefusedError("cuDeviceGet failed: invalid device ordinal")
        context = SimpleNamespace(
            push=lambda: None, pop=lambda: None, detach=lambda: None
        )
        return SimpleNamespace(
            name=lambda: "GeForce Test",
            compute_capability=lambda: capability,
            retain_primary_context=lambda: context,
        )

    def load(image: bytes) -> SimpleNamespace:
        assert image[:4] == b"\x7fELF" or b".version" in image[:2000]
        return SimpleNamespace(get_function=function)

    driver = module(
        "pycuda.driver",
        Error=RefusedError,
        init=lambda: None,
        Device=open_card,
        Stream=lambda: SimpleNamespace(handle=7, synchronize=lambda: None),
        module_from_buffer=load,
        mem_alloc=mem_alloc,
        memcpy_htod_async=lambda to, array, stream: cpu.upload(to, array),
        memcpy_dtoh_async=lambda array, at, stream: cpu.download(at, array),
    )
    return {"pycuda": module("pycuda", driver=driver), "pycuda.driver": driver}


def cuda_core(
    library: Path,
    *,
    capability: tuple[int, int] = (8, 9),
    memory: int = 1 << 30,
    cards: int = 1,
) -> Modules:
    """Return cuda-core's and cuda-bindings' modules; `memory` is the card's.

    Members and keywords are those of the real ones that we use, and no others: a test
    looks every one up.
    """
    cpu = CpuDevice(library)
    left = [memory]

    class Stream:
        handle = 7

        def sync(self) -> None:
            pass

        def close(self) -> None:
            pass

    class Buffer:
        def __init__(self, nbytes: int) -> None:
            self._address = cpu.allocate(nbytes)

        @property
        def handle(self) -> int:
            return self._address

        def close(self, stream: Stream) -> None:
            pass

    class Device:
        name = "GeForce Test"
        compute_capability = capability

        def __new__(cls, device_id: int) -> Self:
            if device_id >= cards:
                raise RefusedError("CUDA_ERROR_INVALID_DEVICE.")
            return super().__new__(cls)

        def set_current(self) -> None:
            pass

        def create_stream(self) -> Stream:
            return Stream()

        def allocate(self, size: int, *, stream: Stream) -> Buffer:
            left[0] -= size
            if left[0] < 0:
                raise RefusedError("CUDA_ERROR_OUT_OF_MEMORY")
            return Buffer(size)

    class ObjectCode:
        @staticmethod
        def from_cubin(module: bytes) -> "ObjectCode":
            assert module[:4] == b"\x7fELF"
            return ObjectCode()

        @staticmethod
        def from_ptx(module: bytes) -> "ObjectCode":
            assert b".version" in module[:2000]
            return ObjectCode()

        def get_kernel(self, name: str) -> str:
            return name

    def launch(
        stream: Stream, config: LaunchConfig, kernel: str, *kernel_args: object
    ) -> None:
        arguments: Sequence[Argument] = [
            ctypes.c_void_p(a) if isinstance(a, int) else _packed(a)
            for a in kernel_args
        ]
        sizes = Launch(kernel, config.grid, config.block, config.shmem_size, ())
        cpu.launch(sizes, arguments)

    def to_card(dstDevice: int, srcHost: int, ByteCount: int, hStream: int) -> Done:
        cpu.upload(dstDevice, _bytes_at(srcHost, ByteCount))
        return ("CUDA_SUCCESS",)

    def from_card(dstHost: int, srcDevice: int, ByteCount: int, hStream: int) -> Done:
        cpu.download(srcDevice, _bytes_at(dstHost, ByteCount))
        return ("CUDA_SUCCESS",)

    core = module(
        "cuda.core",
        Buffer=Buffer,
        Device=Device,
        LaunchConfig=LaunchConfig,
        ObjectCode=ObjectCode,
        Stream=Stream,
        launch=launch,
    )
    driver = module(
        "cuda.bindings.driver",
        CUresult=SimpleNamespace(CUDA_SUCCESS="CUDA_SUCCESS"),
        cuMemcpyHtoDAsync=to_card,
        cuMemcpyDtoHAsync=from_card,
    )
    bindings = module("cuda.bindings", driver=driver)
    return {
        "cuda": module("cuda", core=core, bindings=bindings),
        "cuda.core": core,
        "cuda.bindings": bindings,
        "cuda.bindings.driver": driver,
    }


def _bytes_at(address: int, nbytes: int) -> npt.NDArray[np.uint8]:
    return np.ctypeslib.as_array((ctypes.c_uint8 * nbytes).from_address(address))
