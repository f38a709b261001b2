"""Rasterising at once, and soon faster where numba is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from pixie_runtime.rendering.rasteriser import Ints, VisibleSurface, rasterise
from pixie_runtime.types import Camera, Float32
from pixie_runtime.user_cache import user_cache
from pixie_runtime.warming import Warming


class Rasterise(Protocol):
    """Finds the nearest front-facing triangle at every pixel; any thread may ask."""

    def __call__(
        self, vertices: Float32, faces: Ints, camera: Camera
    ) -> VisibleSurface:
        """See `rasteriser.rasterise`, which is one."""
        ...


class WarmingRasteriser:
    """Rasterises in numpy until the compiled loops, made in a thread, take over."""

    def __init__(self, cache_dir: Path) -> None:
        def make() -> Rasterise:
            from pixie_runtime.rendering.compiled_rasteriser import CompiledRasteriser

            return CompiledRasteriser(cache_dir)

        self._rasterise = Warming[Rasterise]("overlays", rasterise, make)

    def __call__(
        self, vertices: Float32, faces: Ints, camera: Camera
    ) -> VisibleSurface:
        """Find the nearest triangle at every pixel centre; see `rasterise`."""
        return self._rasterise.now(vertices, faces, camera)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the compiled loops; return whether they are ready or have failed."""
        return self._rasterise.wait(timeout_s)


def open_rasteriser(cache: Path | None = None) -> Rasterise:
    """Return what rasterises at once, and soon faster where numba is installed.

    Args:
        cache: Folder of compiled code; default: in the user's cache.
    """
    if find_spec("numba") is None:
        return rasterise
    return WarmingRasteriser(cache or user_cache() / "overlay")
