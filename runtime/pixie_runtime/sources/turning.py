"""How a stored picture must be turned to be seen upright."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import cv2
import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame

from pixie_runtime.types import UInt8

_WITH_PROFILES = frozenset({"apng", "png"})
"""Codecs whose frames may hold a colour profile with a name, which PyAV frees twice."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A quarter turn or mirror image: first transposed, then mirrored."""

    transposed: bool = False
    mirrored_x: bool = False
    mirrored_y: bool = False

    @classmethod
    def of_frame(cls, frame: VideoFrame, codec: str) -> Self:
        """Return the turn that a frame's display matrix asks for.

        Where PyAV cannot show what else is with the frame it is the matrix' rotation,
        without mirror images. Asking ties the frame to its own side data in a cycle
        that only Python's cycle collector frees: ask one frame of a stream, not each.
        """
        if codec in _WITH_PROFILES:
            return cls.of_rotation(frame.rotation)
        try:
            # Typed as holding motion vectors alone; it is a mapping of what there is.
            side_data = cast(Mapping[str, Buffer], frame.side_data)
        except ValueError:  # a kind that FFmpeg knows and PyAV does not, as EXIF
            return cls.of_rotation(frame.rotation)
        if "DISPLAYMATRIX" not in side_data:
            return cls()
        return cls.of_display_matrix(bytes(side_data["DISPLAYMATRIX"]))

    @classmethod
    def of_rotation(cls, degrees: float) -> Self:
        """Return the turn nearest to a rotation, counter-clockwise."""
        quarters = round(degrees / 90) % 4
        return cls(
            transposed=quarters % 2 == 1,
            mirrored_x=quarters in (2, 3),
            mirrored_y=quarters in (1, 2),
        )

    @classmethod
    def of_display_matrix(cls, matrix: bytes) -> Self:
        """Return the turn nearest to FFmpeg's display matrix.

        It is nine native int32 `a b u c d v x y w` with x' = a x + c y and
        y' = b x + d y (libavutil/display.h).
        """
        a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
        if abs(a) + abs(d) < abs(b) + abs(c):
            return cls(transposed=True, mirrored_x=c < 0, mirrored_y=b < 0)
        return cls(mirrored_x=a < 0, mirrored_y=d < 0)

    def applied(self, image: UInt8) -> UInt8:
        """Return `image` (H, W, 3) turned; itself where there is nothing to do."""
        if self.transposed:
            image = np.asarray(cv2.transpose(image), np.uint8)
        if self.mirrored_x or self.mirrored_y:
            both = self.mirrored_x and self.mirrored_y
            image = np.asarray(cv2.flip(image, -1 if both else int(self.mirrored_x)))
        return image
