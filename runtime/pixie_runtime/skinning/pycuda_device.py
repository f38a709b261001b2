"""A CUDA card through PyCUDA (extra `pycuda`). Not run on a GPU yet."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from pixie_runtime.errors import EngineError, MissingExtraError
from pixie_runtime.skinning import dlpack
from pixie_runtime.skinning.device import AnyArray, Argument
from pixie_runtime.skinning.kernel_images import image_for
from pixie_runtime.skinning.plan import KERNELS, Launch


class PyCudaDevice:
    """A card's primary context, shared with whatever else the process runs on it.

    The context stays current in the thread that opened it, until `close`.
    """

    def __init__(self, number: int = 0) -> None:
        """Open the card.

        Raises:
            MissingExtraError: PyCUDA is not installed.
            EngineError: There is no driver or no such card, or it is too old.
        """
        self._driver = cuda = _import_driver()
        try:
            cuda.init()
            card = cuda.Device(number)
            name, version = card.name(), card.compute_capability()
            image = image_for(version[0], version[1], name)
            self._context = card.retain_primary_context()
            self._context.push()
        except cuda.Error as error:
            raise EngineError(
                f"cannot open CUDA card {number}: {error}; expected an NVIDIA card "
                "that nvidia-smi lists"
            ) from error
        try:
            module = cuda.module_from_buffer(image.read())
            self._functions = {name: module.get_function(name) for name in KERNELS}
            self._stream = cuda.Stream()
        except BaseException as error:
            self._context.pop()
            if isinstance(error, cuda.Error):
                raise EngineError(
                    f"{name} refuses the kernels {image.path.name}: {error}; expected "
                    "a driver of CUDA 13 or later, so update the driver"
                ) from error
            raise
        self.description = f"{name} (sm_{version[0]}{version[1]}) through PyCUDA"
        self.dlpack_device = (dlpack.CUDA, number)
        self._memory: list[Any] = []

    @property
    def stream(self) -> int:
        """The CUDA stream, as a number."""
        handle: int = self._stream.handle
        return handle

    def allocate(self, nbytes: int) -> int:
        """Return the address of new memory."""
        with self._refusals(f"{nbytes} bytes of memory"):
            self._memory.append(self._driver.mem_alloc(nbytes))
        return int(self._memory[-1])

    def upload(self, address: int, array: AnyArray) -> None:
        """Copy an array to the card; pageable memory is staged before this returns."""
        with self._refusals("a copy"):
            self._driver.memcpy_htod_async(address, array, self._stream)

    def download(self, address: int, array: AnyArray) -> None:
        """Fill an array from the card."""
        with self._refusals("a copy"):
            self._driver.memcpy_dtoh_async(array, address, self._stream)
            self._stream.synchronize()

    def launch(self, launch: Launch, arguments: Sequence[Argument]) -> None:
        """Start a kernel."""
        with self._refusals(f"the kernel {launch.kernel}"):
            self._functions[launch.kernel](
                *(_for_pycuda(a) for a in arguments),
                block=launch.block,
                grid=launch.grid,
                shared=launch.shared_bytes,
                stream=self._stream,
            )

    def synchronise(self) -> None:
        """Wait for everything."""
        with self._refusals("what was launched"):
            self._stream.synchronize()

    def close(self) -> None:
        """Free all memory and the context."""
        for memory in self._memory:
            memory.free()
        self._memory.clear()
        self._context.pop()
        self._context.detach()

    def _refusals(self, what: str) -> "_Refusals":
        return _Refusals(self._driver.Error, self.description, what)


class _Refusals:
    """Turns the library's errors into ours."""

    def __init__(self, kind: type[Exception], device: str, what: str) -> None:
        self._kind, self._device, self._what = kind, device, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, self._kind):
            raise EngineError(
                f"{self._device} refuses {self._what}: {error}; free memory on the "
                "card, skin fewer people at once, or use meshes on the processor"
            ) from error


def _import_driver() -> Any:
    try:
        import pycuda.driver
    except ModuleNotFoundError:
        raise MissingExtraError("skinning through PyCUDA", "pycuda") from None
    except ImportError as error:
        raise EngineError(
            f"PyCUDA finds no NVIDIA driver ({error}); expected libcuda, which comes "
            "with the driver, so install that or use meshes on the processor"
        ) from error
    return pycuda.driver


def _for_pycuda(argument: Argument) -> np.generic:
    """Return the number in the type that PyCUDA packs by."""
    if isinstance(argument, ctypes.c_void_p):
        return np.uintp(argument.value or 0)
    return np.int32(argument.value)
