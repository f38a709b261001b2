"""A GPU as engines need it: memory, one stream, recorded work."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Protocol

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Gpu:
    """Which GPU, and what drives it."""

    name: str
    """`NVIDIA GeForce RTX 4090`."""
    capability: tuple[int, int]
    """Compute capability, major and minor."""
    driver: str
    """The newest CUDA version that the driver knows, `13.0`."""

    @property
    def target(self) -> str:
        """The capability as builders write it, `sm89`."""
        return f"sm{self.capability[0]}{self.capability[1]}"

    def __str__(self) -> str:
        return f"{self.name} ({self.target.upper()})"


@dataclass(frozen=True, slots=True, eq=False)
class PinnedMemory:
    """Host memory that the GPU can copy from and to by itself."""

    address: int
    content: Bytes
    """All of it, as bytes; a view, not a copy."""


class Recording(Protocol):
    """Work that was recorded once, to be launched as a whole (a CUDA graph)."""

    def launch(self) -> None:
        """Put the work on the stream."""
        ...

    def close(self) -> None:
        """Forget the work."""
        ...


class Device(Protocol):
    """One GPU with one stream; everything but `synchronise` returns at once."""

    @property
    def lock(self) -> RLock:
        """Held while a run uses the stream.

        What others put there meanwhile would be recorded with it.
        """
        ...

    @property
    def gpu(self) -> Gpu:
        """Which one."""
        ...

    @property
    def stream(self) -> int:
        """Handle of the stream that all work goes to."""
        ...

    def free_memory(self) -> int:
        """Return how many bytes of device memory are free."""
        ...

    def allocate(self, n_bytes: int) -> int:
        """Return the address of new device memory, aligned to 256 bytes.

        Raises:
            EngineError: there is not so much.
        """
        ...

    def release(self, address: int) -> None:
        """Free what `allocate` gave."""
        ...

    def allocate_pinned(self, n_bytes: int) -> PinnedMemory:
        """Return new host memory.

        Raises:
            EngineError: there is not so much.
        """
        ...

    def release_pinned(self, memory: PinnedMemory) -> None:
        """Free what `allocate_pinned` gave."""
        ...

    def copy_in(self, address: int, source: PinnedMemory) -> None:
        """Put a copy to the device on the stream."""
        ...

    def copy_out(self, target: PinnedMemory, address: int) -> None:
        """Put a copy from the device on the stream."""
        ...

    def record(self, work: Callable[[], None]) -> Recording | None:
        """Run `work`, which puts things on the stream, and record instead of doing it.

        Returns:
            The recording; None if something in it cannot be recorded.
        """
        ...

    def synchronise(self) -> None:
        """Wait until the stream has done everything.

        Raises:
            EngineError: something on it failed.
        """
        ...

    def close(self) -> None:
        """Free the stream."""
        ...
