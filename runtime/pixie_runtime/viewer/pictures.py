"""The camera's picture for the page: small, and not too often."""

import time
from collections.abc import Callable

import cv2

from pixie_runtime.rendering import shrunk
from pixie_runtime.sinks import Tick
from pixie_runtime.viewer.squares import squares_of
from pixie_runtime.viewer.wire import picture_message

_MAX_SIDE_PX = 480
_MOST_PER_SECOND = 12.0
_QUALITY = 75
"""Of JPEG; a picture then has some 20 kilobytes."""


class Pictures:
    """Makes a message of a tick's picture, at most twelve times a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_s = 0.0

    def message(self, tick: Tick) -> bytes | None:
        """Return the picture and what was found in it; None where it is too soon."""
        now = self._clock()
        image = tick.frame.image
        if now < self._next_s or not image.size:
            return None
        self._next_s = now + 1 / _MOST_PER_SECOND
        small, _ = shrunk(image, _MAX_SIDE_PX)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        height, width = image.shape[:2]
        size_px = (width, height)
        found = [(one, squares_of(one, size_px)) for one in tick.landmarks]
        return picture_message(jpeg.tobytes(), size_px, found)
