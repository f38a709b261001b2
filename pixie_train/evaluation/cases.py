"""What is compared: a picture, what is true of it, and what was estimated."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pixie_runtime.types import Camera, Float32, SmplxParams, UInt8
from pixie_train.evaluation.alignment import Points

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What a benchmark knows of a picture.

    Metres and camera axes where nothing else is said. None: not known.
    """

    vertices: Points | None = None
    """(V, 3), of the mesh that estimates have too."""
    joints: Points | None = None
    """SMPL-X's 55, (55, 3), or 127 with points of the surface."""
    joints14: Points | None = None
    """LSP's 14, in the order of `key_points.REGRESSED_JOINTS`."""
    hand: Points | None = None
    """The right hand's 21 points in FreiHAND's order."""
    hand_vertices: Points | None = None
    """(778, 3), MANO's."""
    scan: Callable[[], Points] | None = None
    """Reads points of a scan, (n, 3)."""
    scan_landmarks: Points | None = None
    """NoW's seven points of it, in its units."""
    pixels: Points | None = None
    """Joints in the picture by which people are told apart, (n, 2)."""


@dataclass(frozen=True, eq=False)
class Case:
    """One person, or part of one, in one picture of a benchmark."""

    name: str
    """What it is called in reports, such as "EHF/01"."""
    picture: Callable[[], UInt8]
    """Reads it, (H, W, 3) RGB; raises SourceError."""
    truth: Truth
    camera: Camera | None = None
    """The one that took it; None: not known."""
    box: Box | None = None
    """About the person, or part of one."""
    extent: Box | None = None
    """About the part's points, where these are known; None: as `box` is."""
    group: str = ""
    """Of whom or what it is one: a video's person, a challenge, a picture of many."""
    number: int = 0
    """Its place in the group."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """What was estimated of a case, in metres and camera axes."""

    params: SmplxParams
    vertices: Float32
    """(V, 3)."""
    joints: Float32
    """(55, 3)."""
    rotations: Float32
    """Of the joints, accumulated from the root, (55, 3, 3)."""
    camera: Camera
    """The one in whose axes this is, for the whole picture."""


class Benchmark(Protocol):
    """Cases in an order: those of a group lie together."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def protocol(self) -> str:
        """How it is scored, a name of `scoring.SCORERS`."""
        ...

    @property
    def fps(self) -> float:
        """Pictures a second within a group; 0: they are not a video."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as the benchmark has it, a sentence each."""
        ...

    def __len__(self) -> int:
        """Return how many cases there are."""
        ...

    def __getitem__(self, index: int) -> Case:
        """Return one; the same every time."""
        ...


@dataclass(frozen=True, eq=False)
class CaseList:
    """A benchmark that was read."""

    name: str
    protocol: str
    cases: tuple[Case, ...] = field(repr=False)
    fps: float = 0.0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return how many cases there are."""
        return len(self.cases)

    def __getitem__(self, index: int) -> Case:
        """Return one."""
        return self.cases[index]


def box_about(pixels: Points, margin: float = 0.1) -> Box:
    """Return the box about points (n, 2), wider by `margin` of its longer side."""
    low, high = np.asarray(pixels).min(0), np.asarray(pixels).max(0)
    more = margin * float((high - low).max())
    (x0, y0), (x1, y1) = (low - more).tolist(), (high + more).tolist()
    return x0, y0, x1, y1
