"""What every source asks of a picture."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import SourceError
from pixie_runtime.types import UInt8

LONGEST_SIDE = 32766
"""OpenCV's warps count pixels in 16 bits and refuse anything longer."""


def silence_opencv() -> None:
    """Stop OpenCV from writing to the terminal, from now on and everywhere.

    What it complains about reaches the user as a sentence of ours.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def as_rgb_picture(name: str, image: npt.NDArray[Any]) -> UInt8:
    """Return `image` (H, W, 3) as a contiguous array of its own.

    Raises SourceError when it has no pixels or a side that no later stage can handle.
    """
    height, width = image.shape[:2]
    if not height or not width:
        raise SourceError(f"{name} has no pixels ({width}x{height})")
    if max(height, width) > LONGEST_SIDE:
        raise SourceError(
            f"{name} is {width}x{height} pixels, but a side may be at most "
            f"{LONGEST_SIDE}; scale it down"
        )
    # A view into a decoder's buffer would be overwritten by a later picture.
    return np.array(image, np.uint8, order="C", copy=image.base is not None or None)
