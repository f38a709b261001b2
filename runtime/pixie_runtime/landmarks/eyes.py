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
_BLINK = 0.06
"""By how many widths lids come nearer or part from frame to frame when they blink: eyes
are about 0.35 open."""


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
    """Looks at the eyes of one face, from frame to frame.

    At one eye in each frame, in turns, since the network takes as long as the face's
    own: the other one moves along with the face until the next frame. An eye that
    appears is looked at at once, and so is the other one when lids move: eyes blink
    together, and one that winks does so alone.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.reset()

    def reset(self) -> None:
        """Forget the face."""
        self._last: dict[str, tuple[EyeLandmarks, Float32]] = {}
        self._newest = "right"

    def look(
        self, image: UInt8, mesh: Points
    ) -> tuple[EyeLandmarks | None, EyeLandmarks | None]:
        """Return the left and the right eye of the face with points (468, 3).

        None for an eye that is too small in the picture, or turned away.
        """
        visible = _visible(mesh)
        self._last = {side: self._last[side] for side in visible if side in self._last}
        due = [side for side in visible if side not in self._last]
        if not due and visible:
            due = [side for side in visible if side != self._newest] or visible
        eyes = {side: self._moved(side, mesh) for side in self._last}
        if due:
            seen = self._seen(image, mesh, due)
            rest = [side for side in visible if side not in due]
            if rest and any(_blinks(eyes.get(side), eye) for side, eye in seen.items()):
                seen |= self._seen(image, mesh, rest)
            self._newest = due[-1]
            eyes |= seen
        self._last = {side: (eye, _middle(mesh, side)) for side, eye in eyes.items()}
        return eyes.get("left"), eyes.get("right")

    def _seen(
        self, image: UInt8, mesh: Points, sides: list[str]
    ) -> dict[str, EyeLandmarks]:
        looks = [_look(mesh, side) for side in sides]
        crops = cropped(image, [look.region for look in looks], _SIDE)
        for crop, look in zip(crops, looks, strict=True):
            if look.is_mirrored:
                crop[:] = crop[:, ::-1].copy()
        seen = self._engine.infer({"image": crops})
        return {
            side: look.landmarks(seen["contour"][row], seen["iris"][row])
            for row, (side, look) in enumerate(zip(sides, looks, strict=True))
        }

    def _moved(self, side: str, mesh: Points) -> EyeLandmarks:
        eye, middle = self._last[side]
        return eye.moved(_middle(mesh, side) - middle)


def _blinks(before: EyeLandmarks | None, now: EyeLandmarks) -> bool:
    """Return whether an eye's lids have moved, to or from each other."""
    return before is not None and abs(_opening(now) - _opening(before)) > _BLINK


def _opening(eye: EyeLandmarks) -> float:
    """Return the distance between the lids in their middle, in widths of the eye."""
    outer, inner, lower, upper = eye.lids[[0, 8, 4, 12]]
    width = max(float(np.hypot(*(outer - inner))), 1.0)
    return float(np.hypot(*(upper - lower))) / width


def _visible(mesh: Points) -> list[str]:
    """Return the sides whose eyes are large enough to tell something."""
    widths = {
        side: float(np.hypot(*(mesh[start] - mesh[end])[:2]))
        for side, (start, end) in _CORNERS.items()
    }
    least = max(_SMALLEST_PX, _LEAST_OF_OTHER * max(widths.values()))
    return [side for side, width in widths.items() if width >= least]


def _middle(mesh: Points, side: str) -> Float32:
    """Return the middle (2,) between an eye's corners."""
    return np.asarray(mesh[list(_CORNERS[side]), :2].mean(axis=0), np.float32)


def _look(mesh: Points, side: str) -> _Look:
    corners = mesh[list(_CORNERS[side]), :2]
    turn = rotation_between(corners[0], corners[1], target=_LEVEL)
    return _Look(Region.around(corners, turn, scale=_SCALE), side == "left")
