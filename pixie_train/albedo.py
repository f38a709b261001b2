"""The face's colour: an albedo space in FLAME's texture coordinates.

The user's file holds a mean picture and some 200 components of 512 x 512 pixels, half a
gigabyte and more. Of that the release uses 50 components on every second pixel; here
only those ever come into memory (spec: pixie-network, section 9). Two kinds of files
are read: FLAME_albedo_from_BFM.npz, made from the Basel Face Model, and FLAME's own
texture space, which counts in 255ths.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.body.archive import AnyArray
from pixie_runtime.errors import ModelFileError
from pixie_runtime.types import Float32

ALBEDO_FILE = "FLAME_albedo_from_BFM.npz"


@dataclass(frozen=True)
class _Layout:
    """How a file is laid out."""

    mean: str
    components: str
    white: float
    """What stands for 1."""


_LAYOUTS = (_Layout("MU", "PC", 1.0), _Layout("mean", "tex_dir", 255.0))
ALBEDO_SIZE = 256
"""Side of the picture in pixels."""

_STORED_SIZE = 512
_STORED_VALUES = _STORED_SIZE * _STORED_SIZE * 3
_STEP = _STORED_SIZE // ALBEDO_SIZE


@dataclass(frozen=True, eq=False)
class AlbedoSpace:
    """Pictures of faces' colours as a mean and its variations, RGB, about 0 to 1."""

    mean: Float32
    """(3, 256, 256)."""
    components: Float32
    """(n_texture, 3, 256, 256)."""


class Albedo(nn.Module):
    """Colour pictures out of texture coefficients."""

    def __init__(self, space: AlbedoSpace) -> None:
        super().__init__()
        self.n_texture = len(space.components)
        for name, array in (("mean", space.mean), ("components", space.components)):
            tensor = torch.from_numpy(np.array(array, np.float32))
            self.register_buffer(name, tensor.flatten(-3), persistent=False)

    def forward(self, texture: Tensor) -> Tensor:
        """Return pictures (B, 3, 256, 256), RGB, of coefficients (B, n_texture)."""
        varied: Tensor = texture @ self.get_buffer("components")
        picture = self.get_buffer("mean") + varied
        return picture.reshape(-1, 3, ALBEDO_SIZE, ALBEDO_SIZE)


def read_albedo(path: Path, *, n_texture: int = 50) -> AlbedoSpace:
    """Read the first `n_texture` components of an albedo space of either layout.

    Raises:
        ModelFileError: the file cannot be read or is of another kind.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            layout = _layout(path, archive)
            mean = _Member(path, archive, layout.mean, 1).columns(1)
            components = _Member(path, archive, layout.components, n_texture).columns(
                n_texture
            )
    except OSError as error:
        raise ModelFileError(
            f"cannot open the albedo {path}: {error.strerror or error}"
        ) from error
    except (
        EOFError,
        KeyError,
        NotImplementedError,  # an unknown compression method
        RuntimeError,  # an encrypted member
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise _refusal(path, f"cannot be read ({error})") from error
    for array in (mean, components):
        if not np.isfinite(array).all():
            raise _refusal(path, "holds values that are not finite numbers")
    white = np.float32(layout.white)
    return AlbedoSpace(mean[0] / white, components / white)


def _layout(path: Path, archive: zipfile.ZipFile) -> _Layout:
    there = {name.removesuffix(".npy") for name in archive.namelist()}
    for layout in _LAYOUTS:
        if {layout.mean, layout.components} <= there:
            return layout
    expected = " or ".join(f"{one.mean} with {one.components}" for one in _LAYOUTS)
    raise _refusal(
        path, f"holds {', '.join(sorted(there)) or 'nothing'}, no {expected}"
    )


class _Member:
    """One array of the archive as a stream of (512 * 512 * 3, k) numbers."""

    def __init__(
        self, path: Path, archive: zipfile.ZipFile, key: str, at_least: int
    ) -> None:
        self._path, self._archive, self._name = path, archive, f"{key}.npy"
        info = archive.getinfo(self._name)
        with archive.open(info) as stream:
            shape, self._fortran, self._dtype = _header(stream)
            self._start = stream.tell()
        # In Fortran's order the pixels' own axes are turned, too, where there are any.
        self._turned = self._fortran and shape[:3] == (_STORED_SIZE, _STORED_SIZE, 3)
        count = int(np.prod(shape, dtype=object))
        self._width = count // _STORED_VALUES
        if self._dtype.kind != "f" or self._width < at_least or count % _STORED_VALUES:
            raise _refusal(
                path,
                f'has a "{key}" of shape {shape} and type {self._dtype}, where '
                f"512 x 512 x 3 real numbers times {at_least} or more were expected",
            )
        if self._start + count * self._dtype.itemsize > info.file_size:
            raise _refusal(path, f'has a "{key}" that is cut short')

    def columns(self, count: int) -> Float32:
        """Return the first columns as pictures, (count, 3, 256, 256), RGB.

        Nearest resizing to half the size keeps the pixels with even row and column;
        the file's channels are blue, green, red.
        """
        with self._archive.open(self._name) as stream:
            stream.read(self._start)
            read = self._by_column if self._fortran else self._by_row
            stored = read(stream, count)
        return np.ascontiguousarray(stored[:, :, :, ::-1].transpose(0, 3, 1, 2))

    def _by_row(self, stream: IO[bytes], count: int) -> Float32:
        kept = np.empty((count, ALBEDO_SIZE, ALBEDO_SIZE, 3), np.float32)
        for row in range(_STORED_SIZE):
            values = self._read(stream, _STORED_SIZE * 3 * self._width)
            if row % _STEP == 0:
                pixels = values.reshape(_STORED_SIZE, 3, self._width)
                chosen = pixels[::_STEP, :, :count]
                kept[:, row // _STEP] = chosen.transpose(2, 0, 1)
        return kept

    def _by_column(self, stream: IO[bytes], count: int) -> Float32:
        kept = np.empty((count, ALBEDO_SIZE, ALBEDO_SIZE, 3), np.float32)
        for column in kept:
            values = self._read(stream, _STORED_VALUES)
            pixels = values.reshape(_STORED_SIZE, _STORED_SIZE, 3)
            if self._turned:
                pixels = values.reshape(3, _STORED_SIZE, _STORED_SIZE).T
            column[:] = pixels[::_STEP, ::_STEP]
        return kept

    def _read(self, stream: IO[bytes], count: int) -> AnyArray:
        data = stream.read(count * self._dtype.itemsize)
        return np.frombuffer(data, self._dtype, count)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def _refusal(path: Path, problem: str) -> ModelFileError:
    return ModelFileError(
        f"the albedo {path} {problem}; expected the {ALBEDO_FILE} that BFM_to_FLAME "
        "writes, or FLAME's own texture space, so get it again or leave it out"
    )
