"""The resampler's loops, compiled for this processor by numba."""

from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from pixie_runtime.numba_code import compiled, despite_damage
from pixie_runtime.resampling import Taps
from pixie_runtime.types import Float32, UInt8

_CHANNELS = 3
_SIGNATURE: Any = numba.void(
    numba.types.Array(numba.uint8, 2, "C", readonly=True),
    numba.uint32[:, ::1],
    numba.float32[:, ::1],
    numba.uint32[:, ::1],
    numba.float32[:, ::1],
    numba.int64,
    numba.int64,
    numba.float32[:, :, ::1],
)


def _draw(
    picture: Any,
    row_index: Any,
    row_weight: Any,
    column_index: Any,
    column_weight: Any,
    start: int,
    stop: int,
    out: Any,
) -> None:
    """Mix rows, then columns, one row of the result after the other.

    `picture` is (H, W * 3); of its rows only `start` to `stop` is looked at, and
    `column_index` counts from there. Indices without a sign spare the loops Python's
    rule for negative ones.
    """
    mixed = np.empty(stop - start, np.float32)
    for i in range(row_index.shape[0]):
        mixed[:] = np.float32(0)
        for k in range(row_index.shape[1]):
            weight = row_weight[i, k]
            if weight != np.float32(0):
                row = picture[row_index[i, k]][start:stop]
                for c in range(stop - start):
                    mixed[c] += weight * np.float32(row[c])
        red, green, blue = out[0, i], out[1, i], out[2, i]
        for j in range(column_index.shape[0]):
            r, g, b = np.float32(0), np.float32(0), np.float32(0)
            for k in range(column_index.shape[1]):
                at, weight = column_index[j, k], column_weight[j, k]
                r += weight * mixed[at]
                g += weight * mixed[at + np.uint32(1)]
                b += weight * mixed[at + np.uint32(2)]
            red[j], green[j], blue[j] = r, g, b


@cache
def _loops(cache_dir: Path | None) -> Any:
    return compiled(_draw, cache_dir, signature_or_function=_SIGNATURE)


class CompiledResampler:
    """Draws what `Resampler` draws, in a fraction of the time; any thread may ask."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        """Compile, or read what was compiled before.

        Args:
            cache_dir: folder of compiled code; None keeps none.
        """
        self._draw = despite_damage(_loops, cache_dir)

    def resampled(
        self, picture: UInt8, rows: Taps, columns: Taps, into: Float32 | None = None
    ) -> Float32:
        """Return what the maps make of a picture; see `Resampler.resampled`."""
        height, width, _ = picture.shape
        count = columns.index[columns.weight != 0]
        first, last = (int(count.min()), int(count.max())) if count.size else (0, 0)
        among = (np.clip(columns.index, first, last) - first) * _CHANNELS
        shape = (_CHANNELS, len(rows.index), len(columns.index))
        image = np.empty(shape, np.float32) if into is None else into
        self._draw(
            np.ascontiguousarray(picture).reshape(height, width * _CHANNELS),
            np.ascontiguousarray(rows.index, np.uint32),
            np.ascontiguousarray(rows.weight, np.float32),
            np.ascontiguousarray(among, np.uint32),
            np.ascontiguousarray(columns.weight / 255, np.float32),
            first * _CHANNELS,
            (last + 1) * _CHANNELS,
            image,
        )
        return image
