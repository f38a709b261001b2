"""Pictures of one size out of pictures of any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from pixie_runtime.types import Camera, UInt8

_LEAST_SIDE = 16


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture went: canvas pixel = scale * picture pixel + offset."""

    scale: float
    offset_px: tuple[int, int]
    canvas_px: tuple[int, int]

    def camera(self, camera: Camera) -> Camera:
        """Return the camera that sees the canvas as `camera` sees the picture."""
        (cx, cy), (dx, dy) = camera.centre_px, self.offset_px
        centre = (cx * self.scale + dx, cy * self.scale + dy)
        return Camera(camera.focal_px * self.scale, centre, self.canvas_px)


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture size, even as video needs it, into which any picture is fitted."""

    width: int
    height: int

    @classmethod
    def for_picture(cls, width: int, height: int, max_side: int) -> Self:
        """Return the size for pictures of this size, shrunk to at most `max_side`."""
        scale = min(1.0, max_side / max(width, height))
        return cls(_even(width * scale), _even(height * scale))

    def place(self, image: UInt8) -> tuple[UInt8, Placement]:
        """Return the picture on this canvas, black around it, and where it went."""
        height, width = image.shape[:2]
        scale = min(self.width / width, self.height / height)
        if self.width - width in (0, 1) and self.height - height in (0, 1):
            scale = 1.0  # only padded to even
        else:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
            height, width = image.shape[:2]
        left, top = (self.width - width) // 2, (self.height - height) // 2
        canvas = np.zeros((self.height, self.width, 3), np.uint8)
        canvas[top : top + height, left : left + width] = image
        return canvas, Placement(scale, (left, top), (self.width, self.height))


def shrunk(image: UInt8, max_side: int) -> tuple[UInt8, Placement]:
    """Return the picture, shrunk if a side is longer, and where it went."""
    height, width = image.shape[:2]
    scale = min(1.0, max_side / max(width, height))
    if scale == 1:
        return image, Placement(1.0, (0, 0), (width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, Placement(scale, (0, 0), size)


def contact_sheet(
    frames: Sequence[UInt8], columns: int, *, cell_width: int = 320
) -> UInt8:
    """Return the frames side by side, row by row, as one picture.

    Args:
        frames: RGB pictures of any sizes, at least one; the first sets the cells' form.
        columns: How many in a row.
        cell_width: Of each, pixels.
    """
    height, width = frames[0].shape[:2]
    cell = Canvas(cell_width, max(1, round(cell_width * height / width)))
    rows = -(-len(frames) // columns)
    sheet = np.full((rows * cell.height, columns * cell.width, 3), 255, np.uint8)
    for number, frame in enumerate(frames):
        row, column = divmod(number, columns)
        top, left = row * cell.height, column * cell.width
        sheet[top : top + cell.height, left : left + cell.width] = cell.place(frame)[0]
    return sheet


def _even(side: float) -> int:
    return max(_LEAST_SIDE, 2 * int(np.ceil(round(side, 3) / 2)))
