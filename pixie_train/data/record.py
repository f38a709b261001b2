"""One person or part in one picture file, as a data set of real pictures knows it.

A reader states what its files say and leaves the rest as it is, unknown:

    points = Points.of(LEFT_HAND_POINTS, pixels)
    Record("freihand/training/00000003", path, CropKind.HAND, pixels=points)

Pixels are counted from the picture's edges, pixel centres at integers plus a half.
Camera axes: x right, y down, z away from us; metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX, PARENTS
from pixie_runtime.types import Camera, Float32
from pixie_train.batch import NO_IDENTITY, CropKind
from pixie_train.gender import Gender
from pixie_train.key_points import KEY_POINT_COUNT

Bools = npt.NDArray[np.bool_]

_ABSOLUTE = [JOINT_INDEX[name] for name in ("head", "left_wrist", "right_wrist")]


@dataclass(frozen=True, eq=False)
class Points:
    """Some of the 145 key points (`pixie_train.key_points`)."""

    at: Float32
    """(145, n): n is 2 for pixels, 3 for metres."""
    confidence: Float32
    """(145,), 0: not known, to 1."""

    @classmethod
    def unknown(cls, dimensions: int) -> Self:
        """Return points of which none is known."""
        return cls(
            np.zeros((KEY_POINT_COUNT, dimensions), np.float32),
            np.zeros(KEY_POINT_COUNT, np.float32),
        )

    @classmethod
    def of(
        cls,
        where: Sequence[int],
        at: npt.ArrayLike,
        confidence: npt.ArrayLike = 1.0,
    ) -> Self:
        """Put a data set's own points in their places among the 145.

        Args:
            where: the key point that each of them is, k numbers.
            at: (k, n).
            confidence: of each or of all; points that are not numbers have none.
        """
        given = np.asarray(at, np.float32)
        points = cls.unknown(given.shape[-1])
        finite: Bools = np.asarray(np.isfinite(given).all(-1))
        points.at[list(where)] = np.where(finite[:, None], given, 0)
        points.confidence[list(where)] = np.where(
            finite, np.asarray(confidence, np.float32), 0
        )
        return points

    @property
    def known(self) -> Bools:
        """Which are known, (145,)."""
        return self.confidence > 0

    def without(self, where: Sequence[int]) -> Self:
        """Return the points with some of them not known."""
        confidence = self.confidence.copy()
        confidence[list(where)] = 0
        return replace(self, confidence=confidence)


@dataclass(frozen=True, eq=False)
class Turns:
    """Rotations of which some are known."""

    R: Float32
    """(n, 3, 3)."""
    known: Bools
    """(n,)."""

    @classmethod
    def unknown(cls, count: int) -> Self:
        """Return `count` rotations of which none is known."""
        return cls(np.tile(np.eye(3, dtype=np.float32), (count, 1, 1)), _none(count))

    @classmethod
    def of(cls, count: int, where: Sequence[int], R: npt.ArrayLike) -> Self:
        """Put rotations (k, 3, 3) in their k places of `count`."""
        turns = cls.unknown(count)
        turns.R[list(where)] = np.asarray(R, np.float32)
        turns.known[list(where)] = True
        return turns


@dataclass(frozen=True, eq=False)
class Fit:
    """What is said of a person in terms of SMPL-X's own, neutral model.

    On another body coefficients mean other shapes and faces (`data.suited`).
    """

    betas: Float32
    """The first so many."""
    expression: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """Likewise."""
    fingers: Float32 | None = None
    """Left and right fingers, (30, 3) axis-angles counted from the mean hands of the
    model's file, not a number where not known; None: `rotations` has them."""


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of one person or part."""

    name: str
    """Data set first: "freihand/training/00000003"."""
    picture: Path
    """Decoded only when it is asked for."""
    kind: CropKind
    """What it is about."""
    pixels: Points = field(default_factory=lambda: Points.unknown(2))
    """Key points in the picture."""
    xyz: Points = field(default_factory=lambda: Points.unknown(3))
    """Key points in metres, camera axes, any origin."""
    rotations: Turns = field(default_factory=lambda: Turns.unknown(JOINT_COUNT))
    """55: row 0 in camera axes, the others relative to the parent."""
    absolute: Turns = field(default_factory=lambda: Turns.unknown(3))
    """Head, left wrist, right wrist in camera axes, where a data set says so itself;
    see `absolutes`."""
    betas: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """The first so many coefficients, of the body model that is trained for."""
    expression: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """Likewise."""
    fit: Fit | None = None
    """What holds if it is SMPL-X that is trained for; None: nothing more."""
    skeleton: bool = False
    """Whether points at joints are those of SMPL-X's skeleton, which are no key points
    of bodies that have other joints there."""
    gender: Gender = Gender.UNKNOWN
    identity: int = NO_IDENTITY
    """Number of the person in all the data."""
    camera: Camera | None = None
    """What took the picture, in its pixels; None: not known."""
    box: Float32 | None = None
    """x0, y0, x1, y1 of what it is about, pixels; None: the extent of its points."""
    left: bool = False
    """Hands: a left one, in the places of left hands; it is mirrored for the batch."""
    mask: Path | None = None
    """Heads: a picture of the same size, above one half where the face's skin is."""

    def absolutes(self) -> Turns:
        """Return head, left wrist and right wrist in the axes of the root's rotation.

        What `absolute` knows, and what the rotations from the root to them lead to
        where all of these are known.
        """
        R, known = self.absolute.R.copy(), self.absolute.known.copy()
        for place, joint in enumerate(_ABSOLUTE):
            chain = _chain(joint)
            if not known[place] and self.rotations.known[chain].all():
                R[place] = reduce(np.matmul, self.rotations.R[chain])
                known[place] = True
        return Turns(R, known)


class Records(Protocol):
    """A data set: its records, read one at a time."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, index: int) -> Record:
        """Return one; the same every time."""
        ...


@runtime_checkable
class EpochRecords(Records, Protocol):
    """Records that are others in every epoch; as many, and the same within one."""

    def set_epoch(self, epoch: int) -> None:
        """Choose an epoch's records."""
        ...


def _chain(joint: int) -> list[int]:
    """Return the joints from the root to one, both included."""
    above = [] if PARENTS[joint] < 0 else _chain(PARENTS[joint])
    return [*above, joint]


def _none(count: int) -> Bools:
    return np.zeros(count, bool)
