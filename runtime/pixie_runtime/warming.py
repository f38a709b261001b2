"""Hides the seconds that compiling takes: something slower works until it is done."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Warming(Generic[T]):
    """Something that works at once, until the same thing, faster, was made in a thread.

    A faster one that cannot be made is no failure: the first goes on, and a warning in
    the log says why.
    """

    def __init__(self, what: str, first: T, make: Callable[[], T]) -> None:
        """Begin to make the faster one.

        Args:
            what: they do, in a word, for the log and the thread's name: `meshes`.
            first: does it until then.
            make: returns the faster one.
        """
        self._what = what
        self._now = first
        self._make = make
        # No daemon: a process must not end in the middle of the compiler.
        self._thread = threading.Thread(target=self._warm, name=f"pixie-{what}")
        self._thread.start()

    @property
    def now(self) -> T:
        """The faster one if it is ready; any thread may ask."""
        return self._now

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the faster one; return whether it is ready or has failed."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _warm(self) -> None:
        try:
            self._now = self._make()
        except Exception as error:  # whatever a compiler may raise
            _LOG.warning(
                "%s stay slower because the faster way could not be made ready: %s: %s",
                self._what,
                type(error).__name__,
                error,
            )
