"""From a picture to body, hand and face landmarks, tracked from frame to frame."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What was found of one of the people in a frame."""

    track_id: int
    """The same number for the same person from frame to frame, from 0."""
    landmarks: PersonLandmarks
    """Empty where nobody is."""


class PeopleLandmarker(Protocol):
    """Finds people's landmarks, tells the people apart and follows them."""

    def detect_people(self, frame: Frame) -> tuple[Sighting, ...]:
        """Return who is in `frame`, by number.

        Somebody empty may stand for nobody: estimators that look at the picture
        themselves are asked then too.
        """
        ...

    def reset(self) -> None:
        """Forget everybody: the next frame is looked at afresh."""
        ...

    def close(self) -> None:
        """Free what the models hold."""
        ...


class OnePerson:
    """A landmarker of one person, who has the number 0; closes it with itself."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker

    def detect_people(self, frame: Frame) -> tuple[Sighting, ...]:
        """Return the person, empty if nobody is in `frame`."""
        return (Sighting(0, self._landmarker.detect(frame)),)

    def reset(self) -> None:
        """Forget the person: the next frame is looked at afresh."""
        self._landmarker.reset()

    def close(self) -> None:
        """Free what the models hold."""
        self._landmarker.close()


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
