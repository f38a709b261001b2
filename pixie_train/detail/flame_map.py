"""From FLAME's texture space, in which DECA's files are, to the body's.

The release's utilities hold `flame2smplx_tex_1024.npy`: which texels of the body's map
show the face, and where FLAME has them (spec: pixie-network, section 9).
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pixie_runtime.errors import ModelFileError
from pixie_train.array_pickle import plain_values

FLAME_MAP_FILE = "flame2smplx_tex_1024.npy"
_LARGEST_FILE = 1 << 28
_LARGEST_SIDE = 8192

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FlameMap:
    """Texels of the body's map that show a face, and FLAME's place of each."""

    size: int
    """Side of the body's map in texels."""
    texel: Ints
    """Places in the body's map, rows laid end to end, (n,)."""
    uv: npt.NDArray[np.float64]
    """FLAME's texture coordinates there, (n, 2): u to the right, v up, in [0, 1]."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the release's file without running what is pickled in it.

        `target_pixel_ids` number the texels of the map; `x_coords` and `y_coords`
        give each number its column and row.

        Raises:
            ModelFileError: the file cannot be read, is damaged, or is of another kind.
        """
        content = _unpacked(path)
        try:
            size = int(content["target_resolution"])
            ids = np.asarray(content["target_pixel_ids"]).ravel()
            column, row = (
                np.asarray(content[name]).ravel()[ids.astype(np.int64)]
                for name in ("x_coords", "y_coords")
            )
            uv = np.asarray(content["source_uv_points"], np.float64).reshape(-1, 2)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _refusal(path, f"{type(error).__name__}: {error}") from error
        if not 1 <= size <= _LARGEST_SIDE or len(uv) != len(ids):
            raise _refusal(path, f"{len(ids)} texels of side {size}, {len(uv)} places")
        if len(ids) and (min(column.min(), row.min(), ids.min()) < 0):
            raise _refusal(path, "a texel before the first")
        if len(ids) and max(column.max(), row.max()) >= size:
            raise _refusal(path, f"a texel outside the map of {size}")
        if not np.isfinite(uv).all():
            raise _refusal(path, "places that are not finite")
        return cls(size, (row.astype(np.int64) * size + column.astype(np.int64)), uv)

    def source(self, side: int) -> tuple[Ints, Ints]:
        """Return row and column of FLAME's map of `side` for each texel, (n,) each.

        The nearest as the release has it, row floor(side (1 - v)), but never `side`
        itself: there the release reads beyond its map.
        """
        row = np.floor(np.clip(side * (1 - self.uv[:, 1]), 0, side - 1))
        column = np.floor(np.clip(side * self.uv[:, 0], 0, side - 1))
        return row.astype(np.int64), column.astype(np.int64)

    def converted(self, flame: Tensor, rest: Tensor | None = None) -> Tensor:
        """Return maps in the body's space; differentiable.

        Args:
            flame: maps in FLAME's space, (B, C, H, H).
            rest: what the body's map shows elsewhere, (B or 1, C, size, size); None:
                0, a smooth body.

        Returns:
            (B, C, size, size).
        """
        row, column = self.source(flame.shape[-1])
        shape = (*flame.shape[:2], self.size, self.size)
        whole = flame.new_zeros(shape) if rest is None else rest.expand(shape)
        rows, columns = torch.from_numpy(row), torch.from_numpy(column)
        texel = torch.from_numpy(self.texel).to(flame.device)
        values = flame[:, :, rows, columns].flatten(2)
        return whole.flatten(2).index_copy(2, texel, values).reshape(shape)


def read_fixed_displacement(path: Path) -> Tensor:
    """Read DECA's fixed_displacement_256.npy: what every face has, (1, 1, S, S).

    Raises:
        ModelFileError: the file is not a square of finite numbers.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelFileError(
            f"cannot read the fixed displacement {path} ({error}); expected an .npy "
            "with a square of numbers, as fixed_displacement_256.npy is"
        ) from error
    square = isinstance(array, np.ndarray) and array.ndim == 2
    if not square or array.shape[0] != array.shape[1] or array.dtype.kind != "f":
        found = getattr(array, "shape", type(array).__name__)
        raise ModelFileError(
            f"the fixed displacement {path} is {found}; expected a square of real "
            "numbers, as fixed_displacement_256.npy is"
        )
    if not np.isfinite(array).all():
        raise ModelFileError(
            f"the fixed displacement {path} has values that are not finite; get it "
            "again"
        )
    return torch.from_numpy(array.astype(np.float32))[None, None]


def _unpacked(path: Path) -> dict[str, Any]:
    """Return the dictionary in an .npy of one object."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _refusal(path, f"more than {_LARGEST_FILE} bytes")
        stream = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise ModelFileError(
            f"cannot open {path}: {error.strerror or error}"
        ) from error
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(stream)
    except ValueError as error:
        raise _refusal(path, str(error)) from error
    if dtype != np.dtype(object) or shape != ():
        raise _refusal(path, f"an array of shape {shape} and type {dtype}")
    content = plain_values(stream.read(), path)
    if not isinstance(content, dict):
        raise _refusal(path, f"a {type(content).__name__}")
    return content


def _refusal(path: Path, found: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is not the release's {FLAME_MAP_FILE}: found {found}; expected its "
        "dictionary of texels and texture coordinates, so unpack utilities.zip again"
    )
