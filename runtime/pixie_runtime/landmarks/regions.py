"""Turned squares of a picture: where a network looks, and back from what it saw.

Conventions are MediaPipe's: a rotation turns clockwise on the screen (y is down), a
crop's pixel i samples the picture at i, not at i + 1/2, bilinearly and without
low-pass filtering (ImageToTensorCalculator on OpenCV).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32, UInt8

Points = npt.NDArray[np.floating]

_SAMPLED_INVERSELY = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True, slots=True)
class Region:
    """A square of the picture, turned about its centre."""

    x: float
    """Centre, pixels."""
    y: float
    """Centre, pixels."""
    size: float
    """Side, pixels."""
    rotation: float
    """Radians in [-pi, pi), clockwise as seen."""

    @classmethod
    def whole(cls, image: UInt8) -> Self:
        """Return the smallest upright square about the whole picture (letterbox)."""
        height, width = image.shape[:2]
        return cls(width / 2, height / 2, float(max(width, height)), 0.0)

    @classmethod
    def around(
        cls,
        points: Points,
        rotation: float,
        *,
        scale: float,
        shift: float = 0.0,
    ) -> Self:
        """Return the square on the upright bounding box of points (n, 2).

        `shift` moves it by that part of the box's height along its own y axis, then
        `scale` enlarges it (DetectionsToRects, RectTransformation, square_long).
        """
        low, high = points.min(axis=0), points.max(axis=0)
        width, height = (high - low).tolist()
        x, y = ((low + high) / 2).tolist()
        return cls(
            x - height * shift * math.sin(rotation),
            y + height * shift * math.cos(rotation),
            max(width, height) * scale,
            rotation,
        )

    @classmethod
    def aligned(
        cls,
        centre: Points,
        rim: Points,
        *,
        target: float,
        scale: float,
        shift: float = 0.0,
    ) -> Self:
        """Return the square about `centre` whose half side reaches `rim`.

        It is turned so that `rim` lies in the direction `target`
        (AlignmentPointsRectsCalculator).
        """
        side = 2 * float(np.hypot(*(rim - centre)))
        rotation = rotation_between(centre, rim, target=target)
        return cls(
            float(centre[0]) - side * shift * math.sin(rotation),
            float(centre[1]) + side * shift * math.cos(rotation),
            side * scale,
            rotation,
        )

    def crop(
        self,
        image: UInt8,
        side: int,
        *,
        black_outside: bool = False,
        into: UInt8 | None = None,
    ) -> UInt8:
        """Return the square as a picture (side, side, 3), written to `into` if given.

        What lies outside the picture is black, or else its border drawn out.
        """
        pixels_per_sample = self.size / side
        c = math.cos(self.rotation) * pixels_per_sample
        s = math.sin(self.rotation) * pixels_per_sample
        half = side / 2
        A_image_crop = np.array(
            [[c, -s, self.x - half * (c - s)], [s, c, self.y - half * (s + c)]]
        )
        # Drawing the border out is slow, even where there is none to draw.
        border = cv2.BORDER_REPLICATE
        if black_outside or _samples_inside(A_image_crop, side, image.shape[:2]):
            border = cv2.BORDER_CONSTANT
        crop = cv2.warpAffine(
            image,
            A_image_crop,
            (side, side),
            dst=into,
            flags=_SAMPLED_INVERSELY,
            borderMode=border,
        )
        return np.asarray(crop, np.uint8)

    def to_image(self, points: Points) -> Float32:
        """Map points (..., 2 or 3) from the unit square to pixels; z scales along."""
        mapped = np.array(points, np.float64)
        mapped[..., :2] = self.turned(mapped[..., :2] - 0.5)
        mapped *= self.size
        mapped[..., :2] += (self.x, self.y)
        return mapped.astype(np.float32)

    def turned(self, vectors: Points) -> Float32:
        """Turn vectors (..., 2 or 3) from the square's axes to the picture's."""
        c, s = math.cos(self.rotation), math.sin(self.rotation)
        turned = np.array(vectors, np.float32)
        turned[..., 0] = c * vectors[..., 0] - s * vectors[..., 1]
        turned[..., 1] = s * vectors[..., 0] + c * vectors[..., 1]
        return turned

    def contains(self, points: Points, *, margin: float) -> bool:
        """Whether all points lie inside the square enlarged by `margin` of its side."""
        c, s = math.cos(self.rotation), math.sin(self.rotation)
        offset = points[:, :2] - (self.x, self.y)
        along_x = offset[:, 0] * c + offset[:, 1] * s
        along_y = offset[:, 1] * c - offset[:, 0] * s
        reach = self.size * (1 + margin) / 2
        return bool(np.abs(along_x).max() < reach and np.abs(along_y).max() < reach)


def _samples_inside(
    A_image_crop: npt.NDArray[np.float64], side: int, size: tuple[int, ...]
) -> bool:
    """Whether no sample of a crop mixes pixels that a picture (height, width) lacks."""
    reach = side - 1.0
    height, width = size
    for (along, across, start), limit in zip(
        A_image_crop.tolist(), (width, height), strict=True
    ):
        low = start + min(along, 0.0) * reach + min(across, 0.0) * reach
        high = start + max(along, 0.0) * reach + max(across, 0.0) * reach
        # A pixel of room: samples are rounded to parts of a pixel.
        if low < 1 or high > limit - 2:
            return False
    return True


@dataclass(frozen=True, slots=True)
class TrackingLimits:
    """How far a part may have moved for its last region to be used again."""

    degrees: float
    translation: float
    """Along each axis of the new region, in parts of its side."""
    scale: float
    """Change of side, in parts of the new region's."""
    margin: float
    """How much larger than the new region the square may be that holds the points."""

    def hold(self, last: Region, points: Points, new: Region) -> bool:
        """Whether `last`, made from `points`, still fits (RoiTrackingCalculator)."""
        turn = normalised(last.rotation - new.rotation)
        c, s = math.cos(new.rotation), math.sin(new.rotation)
        dx, dy = last.x - new.x, last.y - new.y
        moved = max(abs(dx * c + dy * s), abs(dy * c - dx * s))
        return bool(
            abs(math.degrees(turn)) <= self.degrees
            and moved <= new.size * self.translation
            and abs(last.size - new.size) <= new.size * self.scale
            and new.contains(points, margin=self.margin)
        )


def cropped(image: UInt8, regions: Sequence[Region], side: int) -> UInt8:
    """Return several squares as one batch of pictures (n, side, side, 3)."""
    crops = np.empty((len(regions), side, side, 3), np.uint8)
    for region, crop in zip(regions, crops, strict=True):
        region.crop(image, side, into=crop)
    return crops


def rotation_between(start: Points, end: Points, *, target: float) -> float:
    """Return the turn that brings the direction start-end, y up, to angle `target`."""
    dx, dy = (end - start).tolist()
    return normalised(target - math.atan2(-dy, dx))


def normalised(angle: float) -> float:
    """Return the angle in [-pi, pi)."""
    return float((angle + math.pi) % (2 * math.pi) - math.pi)
