"""A CUDA card through cuda-core, NVIDIA's own wheels (extra `cuda`).

Not run on a GPU yet.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from pixie_runtime.errors import EngineError, MissingExtraError
from pixie_runtime.skinning import dlpack
from pixie_runtime.skinning.device import AnyArray, Argument
from pixie_runtime.skinning.kernel_images import image_for
from pixie_runtime.skinning.plan import KERNELS, Launch


class CudaCoreDevice:
    """A card's primary context and a stream of its own."""

    def __init__(self, number: int = 0) -> None:
        """Open the card.

        Raises:
            MissingExtraError: cuda-core or cuda-bindings is not installed.
            EngineError: There is no driver or no such card, or it is too old.
        """
        try:
            import cuda.bindings.driver
            import cuda.core
        except ModuleNotFoundError:
            raise MissingExtraError("skinning through cuda-core", "cuda") from None
        self._core, self._driver = cuda.core, cuda.bindings.driver
        try:
            self._card = cuda.core.Device(number)
            self._card.set_current()
            name, version = self._card.name, self._card.compute_capability
            self._stream = self._card.create_stream()
        # cuda-core's own errors have no common class, and no driver is a RuntimeError.
        except Exception as error:
            reason = str(error).rstrip(".")
            raise EngineError(
                f"cannot open CUDA card {number}: {reason}; expected an NVIDIA card "
                "that nvidia-smi lists, or use meshes on the processor"
            ) from error
        major, minor = version
        self.description = f"{name} (sm_{major}{minor}) through cuda-core"
        self.dlpack_device = (dlpack.CUDA, number)
        self._memory: list[Any] = []
        image = image_for(major, minor, name)
        code = cuda.core.ObjectCode
        load = code.from_cubin if image.kind == "cubin" else code.from_ptx
        content = image.read()
        try:
            module = load(content)
            self._kernels = {name: module.get_kernel(name) for name in KERNELS}
        except Exception as error:
            raise EngineError(
                f"{name} refuses the kernels {image.path.name}: {error}; expected a "
                "driver of CUDA 13 or later, so update the driver"
            ) from error

    @property
    def stream(self) -> int:
        """The CUDA stream, as a number."""
        return int(self._stream.handle)

    def allocate(self, nbytes: int) -> int:
        """Return the address of new memory."""
        try:
            buffer = self._card.allocate(nbytes, stream=self._stream)
        except Exception as error:
            raise self._refusal(f"{nbytes} bytes of memory", error) from error
        self._memory.append(buffer)
        return int(buffer.handle)

    def upload(self, address: int, array: AnyArray) -> None:
        """Copy an array to the card; pageable memory is staged before this returns."""
        self._check(
            self._driver.cuMemcpyHtoDAsync(
                address, array.ctypes.data, array.nbytes, self._stream.handle
            )
        )

    def download(self, address: int, array: AnyArray) -> None:
        """Fill an array from the card."""
        self._check(
            self._driver.cuMemcpyDtoHAsync(
                array.ctypes.data, address, array.nbytes, self._stream.handle
            )
        )
        self.synchronise()

    def launch(self, launch: Launch, arguments: Sequence[Argument]) -> None:
        """Start a kernel."""
        config = self._core.LaunchConfig(
            grid=launch.grid, block=launch.block, shmem_size=launch.shared_bytes
        )
        try:
            self._core.launch(
                self._stream,
                config,
                self._kernels[launch.kernel],
                *(_for_cuda_core(a) for a in arguments),
            )
        except Exception as error:
            raise self._refusal(f"the kernel {launch.kernel}", error) from error

    def synchronise(self) -> None:
        """Wait for everything."""
        try:
            self._stream.sync()
        except Exception as error:
            raise self._refusal("what was launched", error) from error

    def close(self) -> None:
        """Free all memory and the stream."""
        for buffer in self._memory:
            buffer.close(self._stream)
        self._memory.clear()
        self._stream.close()

    def _check(self, returned: tuple[Any, ...]) -> None:
        if returned[0] != self._driver.CUresult.CUDA_SUCCESS:
            raise self._refusal("a copy", RuntimeError(returned[0].name))

    def _refusal(self, what: str, error: Exception) -> EngineError:
        return EngineError(
            f"{self.description} refuses {what}: {error}; free memory on the card, "
            "skin fewer people at once, or use meshes on the processor"
        )


def _for_cuda_core(argument: Argument) -> int | np.int32:
    """Return an address as int, which cuda-core passes as a pointer, or an int32."""
    if isinstance(argument, ctypes.c_void_p):
        return argument.value or 0
    return np.int32(argument.value)
