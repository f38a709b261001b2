"""Hides the seconds that compiling takes: another skinner works until it is done."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pixie_runtime.body import PosedBody
from pixie_runtime.types import Float32

if TYPE_CHECKING:
    from pixie_runtime.skinning import Skinner

_LOG = logging.getLogger(__name__)


class WarmingSkinner:
    """Asks one skinner until a faster one, made in a thread, is ready.

    A faster one that cannot be made is no failure: the first goes on, and a warning in
    the log says why.
    """

    def __init__(self, first: "Skinner", make: "Callable[[], Skinner]") -> None:
        self._skinner = first
        self._make = make
        # No daemon: a process must not end in the middle of the compiler.
        self._thread = threading.Thread(target=self._warm, name="pixie-skinning")
        self._thread.start()

    @property
    def description(self) -> str:
        """What makes the meshes at the moment."""
        return self._skinner.description

    def vertices(self, posed: PosedBody) -> Float32:
        """Return the posed vertices, (V, 3), metres."""
        return self._skinner.vertices(posed)

    def normals(self, vertices: Float32) -> Float32:
        """Return unit normals, (V, 3)."""
        return self._skinner.normals(vertices)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the faster one; return whether it is ready or has failed."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _warm(self) -> None:
        try:
            self._skinner = self._make()
        except Exception as error:  # whatever a compiler may raise
            _LOG.warning(
                "meshes stay with %s because the faster way could not be made ready: "
                "%s: %s",
                self._skinner.description,
                type(error).__name__,
                error,
            )
