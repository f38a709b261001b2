"""Stages made up for tests of the pipeline: each does the least that it may."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks import Sighting
from pixie_runtime.sinks import Tick
from pixie_runtime.types import (
    Camera,
    FaceLandmarks,
    Frame,
    Person,
    PersonLandmarks,
)
from tests.runtime.people import make_person

FACE = PersonLandmarks(face=FaceLandmarks(np.zeros((468, 3), np.float32), 1.0))
NOBODY = PersonLandmarks()


class Pictures:
    """A source of black pictures; `sizes` are (height, width)."""

    def __init__(
        self, sizes: Sequence[tuple[int, int]], *, breaks_after: int | None = None
    ) -> None:
        self.sizes = sizes
        self.breaks_after = breaks_after
        self.closed = False
        self.warning: str | None = None
        self.description, self.fps, self.dropped = "pictures", 30.0, 0

    def __iter__(self) -> Iterator[Frame]:
        for index, (height, width) in enumerate(self.sizes):
            if index == self.breaks_after:
                raise SourceError("the camera is on fire")
            image = np.zeros((height, width, 3), np.uint8)
            yield Frame(index, index / 30, time.monotonic_ns(), image)

    def close(self) -> None:
        self.closed = True


class Finder:
    """A landmarker that finds a face in the frames that it is told to."""

    def __init__(self, found: Sequence[bool]) -> None:
        self.found = list(found)
        self.closed = False
        self.resets = 0

    def detect_people(self, frame: Frame) -> tuple[Sighting, ...]:
        return (Sighting(0, FACE if self.found[frame.index] else NOBODY),)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed = True


class Guesser:
    """An estimator that makes people up, and remembers the cameras it was given."""

    def __init__(self) -> None:
        self.cameras: list[Camera] = []
        self.warning: str | None = None
        self.closed = False
        self.persons = self.resets = 0

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        if landmarks.is_empty:
            return None
        self.cameras.append(camera)
        return make_person(frame.index, frame_index=frame.index)

    def for_another_person(self) -> "Guesser":
        self.persons += 1
        return self

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed = True


class Collector:
    """A sink that keeps everything."""

    name = "collector"

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.dropped = 0
        self.closed = False

    def send(self, tick: Tick) -> None:
        self.ticks.append(tick)

    def close(self) -> None:
        self.closed = True
