"""What the readers share: files that are there, meshes, numbers in JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import SourceError
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import Camera, Float64, UInt8
from pixie_train.evaluation.alignment import Points


@dataclass(frozen=True)
class PictureFile:
    """A picture that is read when asked for."""

    path: Path

    def __call__(self) -> UInt8:
        """Return it, (H, W, 3) RGB; raises SourceError."""
        return read_picture(self.path)


@dataclass(frozen=True)
class ScanFile:
    """A scan's points that are read when asked for, in the file's units."""

    path: Path
    place: Callable[[Float64], Float64] | None = None
    """What is done to them: into other axes."""

    def __call__(self) -> Points:
        """Return them, (n, 3); raises SourceError."""
        points = read_mesh(self.path)[0]
        return points if self.place is None else self.place(points)


def needed(path: Path, data_set: str, what: str) -> Path:
    """Return a path that is there.

    Raises:
        SourceError: it is not.
    """
    if not path.exists():
        raise SourceError(
            f"{data_set} is incomplete: {path} is missing ({what}); unpack the whole "
            "download there"
        )
    return path


def complete(data_set: str, found: int, expected: int | None, of_what: str) -> None:
    """Check that there are as many as the data set has.

    Raises:
        SourceError: there are not.
    """
    if found == 0 or (expected is not None and found != expected):
        raise SourceError(
            f"{data_set} is incomplete: {found} {of_what} were found, expected "
            f"{expected or 'some'}; unpack the whole download there"
        )


def read_mesh(path: Path) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Return vertices (V, 3) and triangles (F, 3) of a .ply or .obj file, in its order.

    Raises:
        SourceError: it cannot be read.
    """
    import trimesh  # takes a second, and only meshes need it

    try:
        mesh: Any = trimesh.load(
            path,
            process=False,
            maintain_order=True,
            skip_materials=True,
        )
        vertices = np.asarray(mesh.vertices, np.float64)
        faces = np.asarray(getattr(mesh, "faces", np.zeros((0, 3))), np.int64)
    # A damaged mesh can fail in any way that a parser can.
    except Exception as error:
        raise SourceError(
            f"cannot read the mesh {path} ({str(error) or type(error).__name__}); get "
            "a fresh copy"
        ) from error
    if vertices.ndim != 2 or not len(vertices) or not np.isfinite(vertices).all():
        raise SourceError(f"the mesh {path} has no points; get a fresh copy")
    return vertices, faces


def read_numbers(path: Path, shape: tuple[int | None, ...]) -> Float64:
    """Return the numbers of a JSON file.

    Args:
        path: the file.
        shape: what they must be; None: any length.

    Raises:
        SourceError: they are not.
    """
    try:
        with path.open(encoding="utf-8") as file:
            values = np.array(json.load(file), np.float64)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(
            f"cannot read the numbers of {path} ({reason}); get a fresh copy"
        ) from error
    fits = len(values.shape) == len(shape) and all(
        e is None or e == f for e, f in zip(shape, values.shape, strict=True)
    )
    if not fits:
        raise SourceError(
            f"{path} holds numbers of shape {values.shape}, expected {shape}; get a "
            "fresh copy"
        )
    return values


def camera_of(K: Points, size_px: tuple[int, int] | None = None) -> Camera:
    """Return a camera of a matrix K (3, 3); its two focal lengths are nearly one."""
    focal = float((K[0, 0] + K[1, 1]) / 2)
    x, y = float(K[0, 2]), float(K[1, 2])
    return Camera(focal, (x, y), size_px or (round(2 * x), round(2 * y)))
