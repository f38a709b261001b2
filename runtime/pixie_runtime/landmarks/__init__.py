"""From a picture to body, hand and face landmarks, tracked from frame to frame."""

from typing import Protocol

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Frame, PersonLandmarks, UInt8


class Landmarker(Protocol):
    """Finds one person's landmarks and follows them through a stream of frames."""

    def detect(self, frame: Frame) -> PersonLandmarks:
        """Return what is in `frame`; `PersonLandmarks.is_empty` if nobody is."""
        ...

    def reset(self) -> None:
        """Forget the person: the next frame is looked at afresh."""
        ...

    def close(self) -> None:
        """Free what the models hold."""
        ...


def pixels_of(frame: Frame) -> UInt8:
    """Return the frame's picture in one piece, (H, W, 3) RGB.

    Raises:
        SourceError: The picture has no pixels.
    """
    height, width = frame.image.shape[:2]
    if not height or not width:
        raise SourceError(
            f"frame {frame.index} is empty: {width} x {height} pixels; "
            "a picture needs at least one"
        )
    return np.ascontiguousarray(frame.image)
