"""How a stored picture must be turned to be seen upright."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import cv2
import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame

from pixie_runtime.types import UInt8


@dataclass(frozen=True, slots=True)
class Turn:
    """A quarter turn or mirror image: first transposed, then mirrored."""

    transposed: bool = False
    mirrored_x: bool = False
    mirrored_y: bool = False

    @classmethod
    def of_frame(cls, frame: VideoFrame) -> Self:
        """Return the turn that a frame's display matrix asks for.

        Asking ties the frame to its own side data in a cycle that only Python's
        cycle collector frees: ask one frame of a stream, not each.
        """
        # Typed as holding motion vectors alone; it is a mapping of whatever there is.
        side_data = cast(Mapping[str, Buffer], frame.side_data)
        if "DISPLAYMATRIX" not in side_data:
            return cls()
        return cls.of_display_matrix(bytes(side_data["DISPLAYMATRIX"]))

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
