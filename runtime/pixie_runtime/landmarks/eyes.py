"""Lids and irises, where an eye is large enough in the picture.

IrisLandmarkLeftAndRightCpu of MediaPipe: a square about the eye's corners in the face
mesh; the network knows right eyes, and left ones in the mirror.
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.engines import Engine
from pixie_runtime.landmarks.regions import Points, Region, cropped, rotation_between
from pixie_runtime.types import EyeLandmarks, Float32, UInt8

_SIDE = 64
_SCALE = 2.3
_LEVEL = 0.0
_CORNERS = {"left": (362, 263), "right": (33, 133)}
"""Corners in the face mesh: first the one that is further left in a picture."""
_LIDS = 16
_SMALLEST_PX = 12.0
"""Between the corners; of a smaller eye only noise would be seen."""
_LEAST_OF_OTHER = 0.5
"""Of the other eye's width: a narrower one is turned away."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Where an eye is looked for."""

    region: Region
    is_mirrored: bool

    def landmarks(self, contour: Float32, iris: Float32) -> EyeLandmarks:
        """Return what the network saw, (71, 3) and (5, 3) in crop pixels."""
        return EyeLandmarks(self._in_image(contour[:_LIDS]), self._in_image(iris))

    def _in_image(self, points: Float32) -> Float32:
        seen = points[:, :2]
        if self.is_mirrored:
            seen = seen * (-1, 1) + (_SIDE - 1, 0)  # pixels are samples: 0 .. _SIDE - 1
        return self.region.to_image(seen / _SIDE)


class EyeReader:
    """Looks at both eyes of a face."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def look(
        self, image: UInt8, mesh: Points
    ) -> tuple[EyeLandmarks | None, EyeLandmarks | None]:
        """Return the left and the right eye of the face with points (468, 3).

        None for an eye that is too small in the picture, or turned away.
        """
        widths = {
            side: float(np.hypot(*(mesh[start] - mesh[end])[:2]))
            for side, (start, end) in _CORNERS.items()
        }
        least = max(_SMALLEST_PX, _LEAST_OF_OTHER * max(widths.values()))
        looks = {
            side: _look(mesh, side) for side, width in widths.items() if width >= least
        }
        if not looks:
            return None, None
        crops = cropped(image, [look.region for look in looks.values()], _SIDE)
        for crop, look in zip(crops, looks.values(), strict=True):
            if look.is_mirrored:
                crop[:] = crop[:, ::-1].copy()
        seen = self._engine.infer({"image": crops})
        eyes = {
            side: look.landmarks(seen["contour"][row], seen["iris"][row])
            for row, (side, look) in enumerate(looks.items())
        }
        return eyes.get("left"), eyes.get("right")


def _look(mesh: Points, side: str) -> _Look:
    corners = mesh[list(_CORNERS[side]), :2]
    turn = rotation_between(corners[0], corners[1], target=_LEVEL)
    return _Look(Region.around(corners, turn, scale=_SCALE), side == "left")
