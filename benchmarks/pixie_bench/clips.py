"""A clip in memory, for whoever runs over it again and again."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixie_bench.holistic_oracle import read_frames
from pixie_runtime.errors import SourceError


def require_files(clips: Iterable[Path]) -> None:
    """Make sure that all of them are there, before much is measured on the first.

    Raises:
        SourceError: one is not.
    """
    for clip in clips:
        if not clip.is_file():
            raise SourceError(f"there is no clip {clip}; name videos or pictures")


def clip_frames(clip: Path) -> list[npt.NDArray[np.uint8]]:
    """Return all pictures of a video or the one of a picture file, (H, W, 3) RGB.

    They are decoded as the peer does it, in its own Python.

    Raises:
        SourceError: there are none.
    """
    frames = read_frames(clip)
    if not frames:
        raise SourceError(
            f"cannot read {clip}: expected a video that OpenCV decodes, or a picture "
            "(.png, .jpg)"
        )
    return frames
