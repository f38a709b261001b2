"""Loops shared out among the caller's thread and helpers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

_PIECES_PER_THREAD = 4


class Crew:
    """Runs loops that let go of Python's lock on several cores.

    Whoever is free takes the next piece. A helper whose core is busy thus costs no more
    than it saves: the caller does what it has not begun.
    """

    def __init__(self, threads: int) -> None:
        """Hire helpers.

        Args:
            threads: Cores that one loop may use, the caller's included.
        """
        self._threads = threads
        self._helpers = (
            ThreadPoolExecutor(threads - 1, "skinning") if threads > 1 else None
        )

    @property
    def threads(self) -> int:
        """Cores that one loop may use."""
        return self._threads

    def run(self, loop: Callable[[int, int], None], count: int) -> None:
        """Call `loop(begin, end)` until 0 to `count` are done; any thread may ask."""
        if self._helpers is None:
            loop(0, count)
            return
        pieces = _PIECES_PER_THREAD * self._threads
        # One step of a range's iterator is never shared by two threads.
        numbers = iter(range(pieces))

        def take() -> None:
            for number in numbers:
                begin, end = number * count // pieces, (number + 1) * count // pieces
                loop(begin, end)

        helping = []
        try:
            for _ in range(self._threads - 1):
                # While the interpreter ends, nobody helps any more.
                with suppress(RuntimeError):
                    helping.append(self._helpers.submit(take))
            take()
        finally:
            for helper in helping:
                # What has not begun by now would find nothing left.
                if not helper.cancel():
                    helper.result()
