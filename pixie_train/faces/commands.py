"""`pixie-train face-landmarks` and `pixie-train face-masks`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from pixie_runtime.errors import UsageError
from pixie_runtime.types import Float32, UInt8
from pixie_train.faces.files import (
    LANDMARKS,
    MASKS,
    write_landmarks,
    write_mask,
)
from pixie_train.faces.finding import FaceFinder, picture_files, read_pictures
from pixie_train.faces.landmarks68 import landmarks68
from pixie_train.faces.skin import SkinChoices, skin_mask


@dataclass(frozen=True)
class FaceLandmarksOptions:
    """Find 68 face landmarks in every picture of a folder, for training without FAN.

    Stopped, the same command goes on. Pictures without a face get no file.
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """Pictures of one face each, in subfolders or not."""
    out: Path | None = None
    """Where the files go; default: FOLDER_landmarks, where training looks for them."""
    limit: int | None = None
    """Stop after so many pictures; default: all."""


@dataclass(frozen=True)
class FaceMasksOptions:
    """Write which pixels are skin of the face for every picture of a folder, as PNG.

    Stopped, the same command goes on. Pictures without a face get no file.
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """Pictures of one face each, in subfolders or not."""
    out: Path | None = None
    """Where the files go; default: FOLDER_masks, where training looks for them."""
    limit: int | None = None
    """Stop after so many pictures; default: all."""
    skin: Annotated[SkinChoices, tyro.conf.arg(name="")] = field(
        default_factory=SkinChoices
    )
    """What counts as skin."""


def run_face_landmarks(options: FaceLandmarksOptions) -> str:
    """Write the landmarks with a progress bar; returns what to tell the user.

    Raises:
        PixieError: there are no pictures, or the files cannot be written.
    """

    def write(path: Path, mesh: Float32, _: UInt8) -> None:
        write_landmarks(path, landmarks68(mesh))

    out = options.out or _beside(options.folder, LANDMARKS)
    told = _each_face(options.folder, out, ".npy", options.limit, write)
    return f"landmarks: {out}\n{told}"


def run_face_masks(options: FaceMasksOptions) -> str:
    """Write the masks with a progress bar; returns what to tell the user.

    Raises:
        PixieError: there are no pictures, or the files cannot be written.
    """
    if not 0 <= options.skin.margin < 0.5:
        raise UsageError(f"--margin is {options.skin.margin}; expected 0 to 0.5")

    def write(path: Path, mesh: Float32, picture: UInt8) -> None:
        height, width = picture.shape[:2]
        write_mask(path, skin_mask(mesh, (height, width), options.skin))

    out = options.out or _beside(options.folder, MASKS)
    told = _each_face(options.folder, out, ".png", options.limit, write)
    return f"masks: {out}\n{told}"


def _beside(folder: Path, kind: str) -> Path:
    folder = folder.resolve()
    return folder.with_name(folder.name + kind)


def _each_face(
    folder: Path,
    out: Path,
    suffix: str,
    limit: int | None,
    write: Callable[[Path, Float32, UInt8], None],
) -> str:
    """Find a face in each picture and write its file; returns the counts in words."""
    if limit is not None and limit < 1:
        raise UsageError(f"--limit is {limit}; expected at least 1")
    pictures = picture_files(folder)[:limit]
    files = {p: (out / p.relative_to(folder)).with_suffix(suffix) for p in pictures}
    missing = [picture for picture, file in files.items() if not file.is_file()]
    faceless = damaged = 0
    with FaceFinder() as finder:
        bar = tqdm(
            read_pictures(missing),
            unit="picture",
            total=len(pictures),
            initial=len(pictures) - len(missing),
        )
        for picture in bar:
            if picture.pixels is None:
                damaged += 1
                continue
            mesh = finder.find(picture.pixels)
            if mesh is None:
                faceless += 1
                continue
            write(files[picture.path], mesh, picture.pixels)
    made = len(missing) - faceless - damaged
    return (
        f"pictures: {len(pictures)}, of which {len(pictures) - len(missing)} had been "
        f"done, {made} were done now, {faceless} show no face, {damaged} do not decode"
    )
