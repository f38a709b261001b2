"""The squares that image networks look at (spec: pixie-network, section 8).

Every crop is a shift and a scale along each axis, bilinear, without low-pass filter,
zeros outside: rows and columns are separate small linear maps, and a crop of a crop is
their product. So a part is cut out of the 1024-pixel picture of the body's square, as
in the official release, without that picture being made.

Squares are in pixels with centres at integers plus a half, as everywhere in the
runtime; the spec counts them at integers. `_HALF` is where one becomes the other.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.bundle import CropSpec
from pixie_runtime.resampling import Draws, Resampler, Taps
from pixie_runtime.types import Float32, Float64, UInt8

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box, its edges in pixels of the source picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle, x and y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def sides(self) -> tuple[float, float]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Square:
    """An upright square, by its centre and side; who holds one says in which pixels."""

    x: float
    y: float
    side: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.x, self.y, self.side]).all() or self.side <= 0:
            raise ValueError(
                f"a square at ({self.x}, {self.y}) with side {self.side}: expected "
                "finite numbers and a side above 0"
            )

    @classmethod
    def around(cls, points: npt.NDArray[np.floating], scale: float) -> Self:
        """Return the square about points (n, 2): `scale` times their longer extent."""
        low, high = points.min(axis=0), points.max(axis=0)
        x, y = ((low + high) / 2).tolist()
        return cls(x, y, max(float((high - low).max()) * scale, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """What a network looks at."""

    image: Float32
    """Pixels, (3, S, S), RGB in [0, 1]."""
    visible: float
    """How much of it lies inside the picture, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class BodyView:
    """A person's square in a picture, and what can be cut out of it."""

    square: Square
    """Pixels of the source picture."""
    spec: CropSpec
    resampler: Draws = field(default_factory=Resampler)
    """What cuts; handed on from view to view it keeps its memory."""

    def body(self, picture: UInt8, into: Float32 | None = None) -> Crop:
        """Return the body's crop of a picture (H, W, 3) (section 8.1).

        Its pixels are written to `into` (3, S, S) if given.
        """
        return square_crop(
            picture, self.square, self.spec.size, resampler=self.resampler, into=into
        )

    def part(
        self,
        picture: UInt8,
        hd: Square,
        *,
        mirrored: bool = False,
        into: Float32 | None = None,
    ) -> Crop:
        """Return the crop of a part (section 8.3), as if cut from the finer picture.

        Args:
            picture: (H, W, 3).
            hd: The part's square in pixels of the finer picture.
            mirrored: Left and right exchanged: how the hand's network sees left hands.
            into: Where to write the pixels, (3, S, S).
        """
        hd_size = self.spec.hd_size
        height, width = picture.shape[:2]
        axes = ((self.square.y, height, hd.y), (self.square.x, width, hd.x))
        rows, columns = (
            Taps.at(part_places(at, hd.side, self.spec), hd_size).of(
                Taps.at(_square_places(centre, self.square.side, hd_size), length)
            )
            for centre, length, at in axes
        )
        columns = columns.reversed() if mirrored else columns
        return _crop(picture, rows, columns, self.resampler, into)

    def to_hd(self, pixels: npt.NDArray[np.floating]) -> Float64:
        """Return where pixels (n, 2) of the picture lie in the finer picture.

        There `part` samples what is seen at them; the finer picture's pixels are
        counted as the network's boxes are, from 0 at its edge to `hd_size`.
        """
        last = self.spec.hd_size - 1
        start = np.array([self.square.x, self.square.y]) - self.square.side / 2
        u = (pixels - start) * (last / self.square.side)
        return np.asarray((u + _HALF) * (last / self.spec.hd_size), np.float64)

    @property
    def projected(self) -> Square:
        """What [-1, 1] of the network's projection spans, pixels of the picture."""
        return projected_span(self.square, self.spec.size)


def projected_span(square: Square, size: int, *, mirrored: bool = False) -> Square:
    """Return what [-1, 1] of a projection onto a square's crop spans in the picture.

    The crop's outermost pixels are centred on the square's edges, but projections count
    pixels 0 to `size`: the span is one pixel of the crop longer, to the crop's right
    and downwards (section 6).
    """
    side = square.side * size / (size - 1)
    shift = (side - square.side) / 2
    x = square.x - shift if mirrored else square.x + shift
    return Square(x, square.y + shift, side)


def body_square(box: Box, scale: float = 1.1) -> Square:
    """Return the square that a body's crop shows for a person's box (section 8.1)."""
    return Square(*box.centre, max(int(scale * max(box.sides)), 1))


def square_crop(
    picture: UInt8,
    square: Square,
    size: int,
    *,
    mirrored: bool = False,
    resampler: Draws | None = None,
    into: Float32 | None = None,
) -> Crop:
    """Return a square of a picture (H, W, 3) as `size` x `size` pixels (section 8.1).

    The centres of the outermost pixels lie on the square's edges. `resampler` and
    `into` as for `BodyView`.
    """
    height, width = picture.shape[:2]
    rows = Taps.at(_square_places(square.y, square.side, size), height)
    columns = Taps.at(_square_places(square.x, square.side, size), width)
    columns = columns.reversed() if mirrored else columns
    return _crop(picture, rows, columns, resampler or Resampler(), into)


def part_places(centre: float, side: float, spec: CropSpec) -> Float64:
    """Return where a part's pixels lie in the finer picture, first pixel at 0.

    Half-pixel grid but a division by `hd_size - 1`: what kornia up to 0.8 does. Centre
    and side are counted from 0 at the finer picture's edge; one axis at a time.
    """
    grid = (np.arange(spec.size, dtype=np.float64) + 0.5) * (side / spec.size)
    edges = centre - side / 2 + grid
    return np.asarray(edges * (spec.hd_size / (spec.hd_size - 1)) - 0.5, np.float64)


def _square_places(centre: float, side: float, size: int) -> Float64:
    """Return where the pixels of a square's crop lie, first pixel of the picture at 0.

    The square's edges are given in the runtime's pixels and mean the spec's.
    """
    grid = np.arange(size, dtype=np.float64) * (side / (size - 1))
    return np.asarray(centre - _HALF - side / 2 + grid, np.float64)


def _crop(
    picture: UInt8,
    rows: Taps,
    columns: Taps,
    resampler: Draws,
    into: Float32 | None,
) -> Crop:
    image = resampler.resampled(picture, rows, columns, into)
    visible = rows.weight.sum(axis=1).mean() * columns.weight.sum(axis=1).mean()
    return Crop(image, float(visible))
