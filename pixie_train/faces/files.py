"""Landmarks and masks beside pictures: one file for each, in a tree of the same shape.

For pictures in `FOLDER/n000002/0001_01.jpg` they are

    FOLDER_landmarks/n000002/0001_01.npy    (68, 2) numbers, or .txt, a point a line
    FOLDER_masks/n000002/0001_01.png        brighter than 127: skin of the face

Landmarks are iBUG's 68 in their order, x and y in pixels whose centres are integers, as
face-alignment networks (FAN) give them; a third column is not read. Whatever network
made the files, they take the place of what `pixie-train face-landmarks` and
`face-masks` write.
"""

from pathlib import Path

import cv2
import numpy as np

from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.types import Float32, UInt8

LANDMARKS, MASKS = "_landmarks", "_masks"
_POINTS = 68
_CENTRE = 0.5
"""Where a pixel's centre is, counted from the picture's edges as everywhere else."""


def beside(folder: Path, picture: Path, kind: str, suffix: str) -> Path:
    """Return where the file of `kind` is that belongs to a picture in `folder`."""
    folder, picture = folder.resolve(), picture.resolve()
    root = folder.with_name(folder.name + kind)
    return root / picture.relative_to(folder).with_suffix(suffix)


def landmarks_file(folder: Path, picture: Path) -> Path | None:
    """Return the file of a picture's landmarks if there is one."""
    for suffix in (".npy", ".txt"):
        path = beside(folder, picture, LANDMARKS, suffix)
        if path.is_file():
            return path
    return None


def mask_file(folder: Path, picture: Path) -> Path | None:
    """Return the file of a picture's mask if there is one."""
    path = beside(folder, picture, MASKS, ".png")
    return path if path.is_file() else None


def read_landmarks(path: Path) -> Float32:
    """Return 68 landmarks (68, 2) in pixels from the picture's edges.

    Raises:
        SourceError: the file cannot be read or holds something else.
    """
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False)
        else:
            found = np.loadtxt(path, ndmin=2)
        points = np.asarray(found, np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise _not_landmarks(path, str(error)) from error
    if points.shape not in {(_POINTS, 2), (_POINTS, 3)} or not _finite(points):
        raise _not_landmarks(path, f"it holds numbers of shape {points.shape}")
    return points[:, :2] + _CENTRE


def write_landmarks(path: Path, points: Float32) -> None:
    """Write 68 landmarks (68, 2), pixels from the picture's edges.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.asarray(points - _CENTRE, np.float32), allow_pickle=False)
    except OSError as error:
        raise _not_written(path, error) from error


def write_mask(path: Path, mask: UInt8) -> None:
    """Write a mask (H, W), 0 and 255, as PNG.

    Raises:
        SinkError: the file cannot be written.
    """
    _, data = cv2.imencode(".png", mask)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise _not_written(path, error) from error


def _finite(points: Float32) -> bool:
    return bool(np.isfinite(points[:, :2]).all())


def _not_landmarks(path: Path, reason: str) -> SourceError:
    return SourceError(
        f"{path} is not a file of 68 face landmarks ({reason}); expected 68 points "
        "of x and y, as `pixie-train face-landmarks` writes them: delete it and run "
        "that again"
    )


def _not_written(path: Path, error: OSError) -> SinkError:
    return SinkError(
        f"cannot write {path}: {error.strerror or error}; choose another place by --out"
    )
