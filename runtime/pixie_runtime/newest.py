"""A mailbox for one item: what is live is overwritten, never queued."""

import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class NewestSlot(Generic[T]):
    """Hands the newest item from one thread to another and counts what was overwritten.

    Any thread may put, get and close. The last item put before `close` is still
    delivered; after it the slot is at its end.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # In a tuple, so that None can be an item like any other.
        self._held: tuple[T] | None = None
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """Items overwritten before anybody took them."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def put(self, item: T) -> None:
        """Leave `item`, in place of what is still there. Ignored once closed."""
        with self._changed:
            if self._closed:
                return
            if self._held is not None:
                self._dropped += 1
            self._held = (item,)
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the item, waiting for one; None once closed and empty.

        Raises TimeoutError when `timeout_s` seconds pass without an item.
        """
        held = self._take(timeout_s)
        return None if held is None else held[0]

    def __iter__(self) -> Iterator[T]:
        """Yield items, always the newest, until the slot is closed and empty."""
        while (held := self._take(None)) is not None:
            yield held[0]

    def close(self) -> None:
        """Wake whoever waits; nothing more is accepted. Harmless when repeated."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self, timeout_s: float | None) -> tuple[T] | None:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self._held is None and not self._closed:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"nothing came within {timeout_s} s")
                self._changed.wait(left)
            held, self._held = self._held, None
            return held
