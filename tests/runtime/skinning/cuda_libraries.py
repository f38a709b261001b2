"""PyCUDA and cuda-core as far as we use them, with the processor for a card.

Their launches run the real kernels; arguments are packed as the libraries pack them:
by numpy's type in PyCUDA (`_build_arg_buf`), ints as pointers in cuda-core
(`ParamHolder`).
"""

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.skinning.device import Argument
from pixie_runtime.skinning.plan import Launch
from tests.runtime.skinning.cpu_device import CpuDevice

Modules = dict[str, ModuleType]


class RefusedError(Exception):
    """The libraries' own error."""


def module(name: str, **names: Any) -> ModuleType:
    made = ModuleType(name)
    for key, value in names.items():
        setattr(made, key, value)
    return made


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
    """Return cuda-core's and cuda-bindings' modules; `memory` is the card's."""
    cpu = CpuDevice(library)
    left = [memory]
    stream = SimpleNamespace(handle=7, sync=lambda: None, close=lambda: None)

    def allocate(nbytes: int, *, stream: object) -> SimpleNamespace:
        left[0] -= nbytes
        if left[0] < 0:
            raise RefusedError("CUDA_ERROR_OUT_OF_MEMORY")
        return SimpleNamespace(handle=cpu.allocate(nbytes), close=lambda stream: None)

    def open_card(number: int) -> SimpleNamespace:
        if number >= cards:
            raise RefusedError("CUDA_ERROR_INVALID_DEVICE.")
        return SimpleNamespace(
            name="GeForce Test",
            compute_capability=capability,
            set_current=lambda: None,
            create_stream=lambda: stream,
            allocate=allocate,
        )

    def load(image: bytes) -> SimpleNamespace:
        return SimpleNamespace(get_kernel=lambda name: name)

    def launch(
        stream: object, config: SimpleNamespace, kernel: str, *given: object
    ) -> None:
        arguments: Sequence[Argument] = [
            ctypes.c_void_p(a) if isinstance(a, int) else _packed(a) for a in given
        ]
        sizes = Launch(kernel, config.grid, config.block, config.shmem_size, ())
        cpu.launch(sizes, arguments)

    def to_card(to: int, at: int, nbytes: int, stream: int) -> tuple[str]:
        cpu.upload(to, _bytes_at(at, nbytes))
        return ("CUDA_SUCCESS",)

    def from_card(to: int, at: int, nbytes: int, stream: int) -> tuple[str]:
        cpu.download(at, _bytes_at(to, nbytes))
        return ("CUDA_SUCCESS",)

    core = module(
        "cuda.core",
        Device=open_card,
        LaunchConfig=SimpleNamespace,
        ObjectCode=SimpleNamespace(from_cubin=load, from_ptx=load),
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
