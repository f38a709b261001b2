"""A bounded buffer between a decoding thread and whoever takes the frames."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from pixie_runtime.threads import let_networks_go_first
from pixie_runtime.types import Frame

_CAPACITY = 4
"""Enough to bridge a slow key frame; a 4K picture takes 25 MB."""

_LATE_S = 0.25
"""A frame that is decoded so long after its time is not worth more work."""
_MOST_PASSED_OVER = 3
"""In a row: whoever watches would rather see a late picture than none."""

_LONGEST_JOIN_S = 2.0


class ReadAhead:
    """Runs a source of frames in its own thread, a few frames ahead of the reader.

    In real time a frame is handed out when its time has come on a clock that starts
    with the first one, and frames that were overtaken by a newer one that is due are
    dropped; the source is told which ones come so late that it need not finish them
    (`passes_over`). `grabbed_ns` is then the moment when a camera would have delivered
    it: when it was due, or decoded if that was later. Otherwise every frame is handed
    out at once and stamped at that moment.
    """

    def __init__(
        self,
        frames: Callable[[Callable[[float], bool]], Iterator[Frame]],
        *,
        realtime: bool,
    ) -> None:
        """Start the thread; `frames` is called in it, with `passes_over`."""
        self._source = frames
        self._realtime = realtime
        self._changed = threading.Condition()
        self._ahead: deque[Frame] = deque()
        self._start_ns: int | None = None
        self._finished = False
        self._closed = False
        self._error: Exception | None = None
        self._dropped = 0
        self._passed_over = 0
        self._thread = threading.Thread(
            target=self._fill, name="pixie-decode", daemon=True
        )
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were late and skipped."""
        return self._dropped

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames to the end; raises what the source raised."""
        while (frame := self._take()) is not None:
            yield frame

    def passes_over(self, timestamp_s: float) -> bool:
        """Whether a frame of that time is too late to be finished; then it is dropped.

        Asked once for each frame, in order.
        """
        with self._changed:
            if not self._realtime or self._start_ns is None:
                return False
            late_s = (_now_ns() - self._start_ns) / 1e9 - timestamp_s
            if late_s < _LATE_S or self._passed_over == _MOST_PASSED_OVER:
                self._passed_over = 0
                return False
            self._passed_over += 1
            self._dropped += 1
            return True

    def close(self) -> None:
        """End the iteration and the thread. Harmless when repeated."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(_LONGEST_JOIN_S)

    def _fill(self) -> None:
        if not self._realtime:  # there, whoever decodes too late plays in slow motion
            let_networks_go_first()
        frames = self._source(self.passes_over)
        try:
            for frame in frames:
                if not self._put(frame):
                    break
        except Exception as error:
            self._error = error
        finally:
            close = getattr(frames, "close", None)
            if close is not None:
                close()  # frees the file in the thread that used it
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _put(self, frame: Frame) -> bool:
        with self._changed:
            while len(self._ahead) >= _CAPACITY and not self._closed:
                # The head is overtaken when its successor is due; only then is there
                # room. Otherwise wait for the reader, or until that moment.
                wait_s = self._seconds_until_due(self._ahead[1])
                if wait_s is not None and wait_s <= 0:
                    self._drop_head()
                else:
                    self._changed.wait(wait_s)
            if self._closed:
                return False
            self._ahead.append(frame)
            self._changed.notify_all()
            return True

    def _take(self) -> Frame | None:
        with self._changed:
            while not self._closed:
                wait_s: float | None = None
                if self._ahead:
                    if not self._realtime:
                        return self._pop(time.monotonic_ns())
                    wait_s = self._advance()
                    if wait_s <= 0:
                        return self._pop(self._due_ns(self._ahead[0]))
                elif self._finished:
                    if self._error is not None:
                        raise self._error
                    return None
                self._changed.wait(wait_s)
            return None

    def _advance(self) -> float:
        """Drop what is overtaken; return the seconds until the head is due."""
        if self._start_ns is None:
            head_ns = round(self._ahead[0].timestamp_s * 1e9)
            self._start_ns = time.monotonic_ns() - head_ns
        while len(self._ahead) > 1 and self._due_ns(self._ahead[1]) <= _now_ns():
            self._drop_head()
        return (self._due_ns(self._ahead[0]) - _now_ns()) / 1e9

    def _seconds_until_due(self, frame: Frame) -> float | None:
        if not self._realtime or self._start_ns is None:
            return None
        return (self._due_ns(frame) - _now_ns()) / 1e9

    def _due_ns(self, frame: Frame) -> int:
        assert self._start_ns is not None
        return self._start_ns + round(frame.timestamp_s * 1e9)

    def _drop_head(self) -> None:
        self._ahead.popleft()
        self._dropped += 1

    def _pop(self, stamp_ns: int) -> Frame:
        frame = self._ahead.popleft()
        self._changed.notify_all()
        return replace(frame, grabbed_ns=max(stamp_ns, frame.grabbed_ns))


def _now_ns() -> int:
    return time.monotonic_ns()
