"""The seam to a graphics card: memory, copies, launches; results that stay there."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pixie_runtime.skinning import dlpack
from pixie_runtime.skinning.plan import Launch
from pixie_runtime.types import Float32

AnyArray = npt.NDArray[Any]
Argument = ctypes.c_void_p | ctypes.c_int32
"""Of a kernel: an address on the device, or an int32."""


class Device(Protocol):
    """A card with the kernels of skinning.cu; everything happens in order.

    Methods raise EngineError where the card has no memory left or refuses.
    """

    @property
    def description(self) -> str:
        """What runs the kernels: `NVIDIA GeForce RTX 4090 (sm_89) through PyCUDA`."""
        ...

    @property
    def dlpack_device(self) -> tuple[int, int]:
        """DLPack's type and number of the device: (2, 0) is the first CUDA card."""
        ...

    @property
    def stream(self) -> int:
        """The CUDA stream that everything runs on, as a number; 0: none."""
        ...

    def allocate(self, nbytes: int) -> int:
        """Return the address of new memory, which `close` frees."""
        ...

    def upload(self, address: int, array: AnyArray) -> None:
        """Copy a C-contiguous array; it may be changed afterwards."""
        ...

    def download(self, address: int, array: AnyArray) -> None:
        """Fill a C-contiguous array; waits for what was launched before."""
        ...

    def launch(self, launch: Launch, arguments: Sequence[Argument]) -> None:
        """Start a kernel; `arguments` stand for those of `launch`."""
        ...

    def synchronise(self) -> None:
        """Wait for everything."""
        ...

    def close(self) -> None:
        """Free all memory."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DeviceArray:
    """float32 numbers on a device; valid until its owner's next frame or `close`.

    `__cuda_array_interface__` and DLPack hand it to CuPy, Numba, PyTorch or a renderer
    without a copy.
    """

    address: int
    shape: tuple[int, ...]
    device: Device
    owner: object
    """What keeps the memory; a borrowed array keeps this in turn."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Version 3 of the protocol; an AttributeError where this is no CUDA card."""
        if self.device.dlpack_device[0] != dlpack.CUDA:
            raise AttributeError("the array is not on a CUDA card")
        return {
            "shape": self.shape,
            "typestr": "<f4",
            "data": (self.address, False),
            "version": 3,
            "strides": None,
            "stream": self.device.stream or None,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return the device's type and number."""
        return self.device.dlpack_device

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a capsule of the memory itself; waits until it is computed.

        Raises BufferError where a copy or another device is asked for.
        """
        if copy or (dl_device is not None and dl_device != self.device.dlpack_device):
            raise BufferError("the array is lent where it is, without a copy")
        self.device.synchronise()
        return dlpack.capsule(self.address, self.shape, self.device.dlpack_device, self)

    def to_numpy(self) -> Float32:
        """Return a copy in this process's memory."""
        array = np.empty(self.shape, np.float32)
        self.device.download(self.address, array)
        return array


def arguments(launch: Launch, address_of: Callable[[str], int]) -> tuple[Argument, ...]:
    """Return a launch's arguments with every buffer's name turned into its address."""
    return tuple(
        ctypes.c_void_p(address_of(a)) if isinstance(a, str) else ctypes.c_int32(a)
        for a in launch.arguments
    )
