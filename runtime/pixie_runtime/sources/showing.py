"""Decoded pictures as a player shows them: in RGB, with square pixels, upright."""

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from pixie_runtime.sources.turning import Turn
from pixie_runtime.types import UInt8

_LARGEST_ASPECT = 4
"""H.264's and HEVC's tables end at 32:11; what is further from 1 is damage."""

_SQUARE_ENOUGH = 0.01
"""Encoders round sizes and make up for it in the aspect; not worth resampling for."""


def width_over_height(aspect: Fraction | None) -> Fraction:
    """Return how much wider than high a pixel is, given what a file says of it."""
    if not aspect or not 1 / _LARGEST_ASPECT <= aspect <= _LARGEST_ASPECT:
        return Fraction(1)
    return Fraction(1) if abs(aspect - 1) < _SQUARE_ENOUGH else aspect


class Showing:
    """Makes RGB pictures of one stream's frames."""

    def __init__(self, codec: str, aspect: Fraction | None, turn: Turn | None) -> None:
        """Take the stream's codec and sample aspect ratio, and its turn if known."""
        self._codec = codec
        self._aspect = width_over_height(aspect)
        self.turn = turn
        """How the pictures are turned; None before the first."""
        # Kept: a frame's own would set up its conversion anew for each frame.
        self._reformatter = VideoReformatter()

    def shown(self, frame: VideoFrame) -> UInt8:
        """Return the picture (H, W, 3) in RGB."""
        if self.turn is None:
            self.turn = Turn.of_frame(frame, self._codec)
        rgb = self._reformatter.reformat(
            frame,
            width=max(round(frame.width * self._aspect), 1),
            format="rgb24",
            threads=1,  # more are no faster and take cores from the networks
        )
        return self.turn.applied(np.asarray(rgb.to_ndarray(), np.uint8))
