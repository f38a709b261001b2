"""Ctrl-C and SIGTERM as a clean end: the frame in work is finished, then no more come.

Raising KeyboardInterrupt anywhere would tear a sink apart in the middle of a write, and
a mere flag would not end the wait for a camera that gives nothing. So a signal breaks
off the wait for a frame and nothing else. The second signal is not so polite.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from pixie_runtime.sources import FrameSource
from pixie_runtime.types import Frame

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Take the signals over inside, in the main thread."""
    previous = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def stopped_by_signals() -> AbstractContextManager[None]:
    """Raise KeyboardInterrupt at Ctrl-C and at SIGTERM inside, in the main thread.

    Python does so at Ctrl-C by itself, but not where a shell started the process in the
    background: those begin with SIGINT ignored, and could be stopped by force only.
    """
    return _handled_by(signal.default_int_handler)


class InterruptibleSource:
    """A frame source that ends when a signal asks the process to stop.

    Use as a context manager, in the main thread: the signals are taken over inside.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._waiting = False
        self._handled = _handled_by(self._on_signal)
        self.interrupted = False
        """Whether a signal has asked to stop."""

    @property
    def description(self) -> str:
        """The inner source's."""
        return self._source.description

    @property
    def fps(self) -> float | None:
        """The inner source's."""
        return self._source.fps

    @property
    def dropped(self) -> int:
        """The inner source's."""
        return self._source.dropped

    @property
    def warning(self) -> str | None:
        """The inner source's."""
        return self._source.warning

    def __iter__(self) -> Iterator[Frame]:
        frames = iter(self._source)
        while True:
            try:
                frame = self._wait_for(frames)
            except KeyboardInterrupt:
                return
            if frame is None:
                return
            yield frame

    def close(self) -> None:
        """Close the inner source."""
        self._source.close()

    def __enter__(self) -> "InterruptibleSource":
        self._handled.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._handled.__exit__(None, None, None)

    def _wait_for(self, frames: Iterator[Frame]) -> Frame | None:
        self._waiting = True
        try:
            # A signal before `_waiting` is seen here, a later one breaks off the wait.
            return None if self.interrupted else next(frames, None)
        finally:
            self._waiting = False

    def _on_signal(self, number: int, stack: FrameType | None) -> None:
        again, self.interrupted = self.interrupted, True
        if self._waiting or again:
            raise KeyboardInterrupt
