"""Hides the seconds that compiling takes: another skinner works until it is done."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pixie_runtime.body import PosedBody
from pixie_runtime.types import Float32
from pixie_runtime.warming import Warming

if TYPE_CHECKING:
    from pixie_runtime.skinning import Skinner


class WarmingSkinner:
    """Asks one skinner until a faster one, made in a thread, is ready."""

    def __init__(self, first: "Skinner", make: "Callable[[], Skinner]") -> None:
        self._skinner = Warming("meshes", first, make)

    @property
    def description(self) -> str:
        """What makes the meshes at the moment."""
        return self._skinner.now.description

    def vertices(self, posed: PosedBody) -> Float32:
        """Return the posed vertices, (V, 3), metres."""
        return self._skinner.now.vertices(posed)

    def normals(self, vertices: Float32) -> Float32:
        """Return unit normals, (V, 3)."""
        return self._skinner.now.normals(vertices)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the faster one; return whether it is ready or has failed."""
        return self._skinner.wait(timeout_s)
