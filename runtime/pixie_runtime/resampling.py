"""Small linear maps along the axes of a picture, and pictures drawn through them."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32, Float64, UInt8
from pixie_runtime.user_cache import user_cache
from pixie_runtime.warming import Warming

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """A linear map of samples along one axis: out[i] = sum_k weight[i, k] in[index]."""

    index: Indices
    """(S, K), always valid; what lies outside has weight 0."""
    weight: Float64
    """(S, K)"""

    @classmethod
    def at(cls, places: Float64, length: int) -> Self:
        """Interpolate at places (S,) among `length` samples, sample 0 at 0."""
        inside = np.clip(places, -2.0, length + 1.0)
        lower = np.floor(inside)
        index = lower.astype(np.intp)[:, None] + np.arange(2)
        upper = inside - lower
        weight = np.stack([1 - upper, upper], axis=1)
        weight[(index < 0) | (index >= length)] = 0.0
        return cls(np.clip(index, 0, length - 1), weight)

    def of(self, first: "Taps") -> "Taps":
        """Return the map that applies `first`, then this one."""
        count = len(self.index)
        index = first.index[self.index].reshape(count, -1)
        weight = (self.weight[:, :, None] * first.weight[self.index]).reshape(count, -1)
        # Neighbours of neighbours overlap: where that leaves fewer taps, add them up.
        start = index.min(axis=1, keepdims=True)
        spread = int((index - start).max()) + 1
        if spread >= index.shape[1]:
            return Taps(index, weight)
        together = np.zeros((count, spread))
        np.add.at(together, (np.arange(count)[:, None], index - start), weight)
        return Taps(np.minimum(start + np.arange(spread), index.max()), together)

    def reversed(self) -> "Taps":
        """Return the map whose results come in reverse order."""
        return Taps(self.index[::-1], self.weight[::-1])

    @property
    def used(self) -> Indices:
        """The samples that count, ascending; never none."""
        used = np.unique(self.index[self.weight != 0])
        return used if len(used) else self.index[0, :1]

    def among(self, used: Indices) -> Indices:
        """Return `index` (S, K) as places in `used`."""
        return np.minimum(np.searchsorted(used, self.index), len(used) - 1)


class Draws(Protocol):
    """Draws pictures through maps of their rows and columns; see `Resampler`."""

    def resampled(
        self, picture: UInt8, rows: Taps, columns: Taps, into: Float32 | None = None
    ) -> Float32:
        """Return what the maps make of a picture, (3, rows, columns)."""
        ...


class Resampler:
    """Draws pictures through maps of their rows and columns, in numpy.

    Its working memory grows to what the largest picture took and is kept: memory that
    is new for each picture costs more than the arithmetic, in page faults. One picture
    at a time, not from several threads.
    """

    def __init__(self) -> None:
        self._memory: dict[str, npt.NDArray[Any]] = {}

    def resampled(
        self, picture: UInt8, rows: Taps, columns: Taps, into: Float32 | None = None
    ) -> Float32:
        """Return what the maps make of a picture, touching only the pixels they use.

        Both maps mix whole rows of an array, which is faster than picking its pixels;
        it is turned over in between.

        Args:
            picture: (H, W, 3).
            rows: from its H rows to those of the result.
            columns: likewise.
            into: where to write the result, contiguous; otherwise to a new array.

        Returns:
            (3, rows, columns), numbers in [0, 1].
        """
        used_rows, used_columns = rows.used, columns.used
        n, m = len(used_rows), len(used_columns)
        height, width = len(rows.index), len(columns.index)
        start, stop = int(used_columns[0]), int(used_columns[-1]) + 1
        wide = picture[:, start:stop][used_rows]
        turned = self._room("turned", (stop - start, n, 3), np.uint8)
        cv2.transpose(wide, turned)
        picked = self._room("picked", (m, n * 3), np.uint8)
        _take(turned.reshape(-1, n * 3), used_columns - start, picked)
        samples = self._room("samples", (m, n * 3))
        np.copyto(samples, picked)
        weight = (columns.weight / 255).astype(np.float32)
        by_column = self._mixed(samples, columns.among(used_columns), weight)
        upright = self._room("upright", (n, width, 3))
        cv2.transpose(by_column.reshape(width, n, 3), upright)
        weight = rows.weight.astype(np.float32)
        by_row = self._mixed(
            upright.reshape(n, width * 3), rows.among(used_rows), weight
        )
        image = np.empty((3, height, width), np.float32) if into is None else into
        cv2.split(by_row.reshape(height, width, 3), list(image))
        return image

    def _mixed(self, samples: Float32, index: Indices, weight: Float32) -> Float32:
        """Return sums over k of weight[i, k] samples[index[i, k]]: (S, n) of (m, n).

        The result is valid until the next call.
        """
        shape = (len(index), samples.shape[1])
        mixed, term = self._room("mixed", shape), self._room("term", shape)
        _take(samples, index[:, 0], mixed)
        mixed *= weight[:, :1]
        for k in range(1, index.shape[1]):
            _take(samples, index[:, k], term)
            term *= weight[:, k : k + 1]
            mixed += term
        return mixed

    def _room(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32
    ) -> npt.NDArray[Any]:
        """Return memory of a shape, its content undefined."""
        size = int(np.prod(shape))
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = np.empty(size, dtype)
        return memory[:size].reshape(shape)


def _take(rows: npt.NDArray[Any], index: Indices, into: npt.NDArray[Any]) -> None:
    # Without a mode numpy makes a copy first, so that errors leave `into` as it was.
    np.take(rows, index, axis=0, out=into, mode="clip")


class WarmingResampler:
    """Draws in numpy until the compiled loops, made ready in a thread, take over."""

    def __init__(self, cache_dir: Path) -> None:
        def make() -> Draws:
            from pixie_runtime.compiled_resampling import CompiledResampler

            return CompiledResampler(cache_dir)

        self._resampler = Warming[Draws]("crops", Resampler(), make)

    def resampled(
        self, picture: UInt8, rows: Taps, columns: Taps, into: Float32 | None = None
    ) -> Float32:
        """Return what the maps make of a picture; see `Resampler.resampled`."""
        return self._resampler.now.resampled(picture, rows, columns, into)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the compiled loops; return whether they are ready or have failed."""
        return self._resampler.wait(timeout_s)


def open_resampler(cache: Path | None = None) -> Draws:
    """Return what draws crops at once, and soon faster where numba is installed.

    Args:
        cache: folder of compiled code; default: in the user's cache.
    """
    if find_spec("numba") is None:
        return Resampler()
    return WarmingResampler(user_cache() / "resampling" if cache is None else cache)
