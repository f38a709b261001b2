"""Faces in picture files, found by the runtime's networks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks.face import FaceTracker
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.sources.images import SUFFIXES, ImageFolder
from pixie_runtime.types import Float32, UInt8

_LOOKS = 2
"""How often a face is looked at: first where the detector says, then where its own mesh
is, as the runtime does from frame to frame."""


class FaceFinder:
    """Finds the most certain face of a picture."""

    def __init__(self, models: LandmarkModels | None = None) -> None:
        """Load the networks.

        Raises:
            BundleError: the package's model files are missing or damaged.
        """
        self._models = models or LandmarkModels.shipped(threads=1)
        self._tracker = FaceTracker(self._models)

    def find(self, picture: UInt8) -> Float32 | None:
        """Return the mesh (468, 3) in pixels of an RGB picture (H, W, 3), or None."""
        self._tracker.reset()
        found = None
        for _ in range(_LOOKS):
            found = self._tracker.update(picture, None)
            if found is None:
                return None
        return found.image if found else None

    def close(self) -> None:
        """Free what the networks hold."""
        self._models.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, eq=False)
class FacePicture:
    """A picture file."""

    path: Path
    pixels: UInt8 | None
    """(H, W, 3) RGB; None: the file does not decode."""


def picture_files(folder: Path) -> list[Path]:
    """Return the pictures in a folder and its subfolders, in the order of their names.

    Raises:
        SourceError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder; name one with pictures of faces")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise SourceError(
            f"{folder} holds no picture; expected files that end in "
            + ", ".join(sorted(SUFFIXES))
        )
    return files


def read_pictures(files: list[Path]) -> Iterator[FacePicture]:
    """Yield pictures turned as their EXIF says; those that do not decode without."""
    for path in files:
        try:
            pixels = next(iter(ImageFolder(path))).image
        except SourceError:
            yield FacePicture(path, None)
        else:
            yield FacePicture(path, pixels)
