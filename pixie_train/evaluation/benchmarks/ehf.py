"""EHF, Expressive Hands and Faces: 100 pictures of a person with meshes and scans.

`pixie_train.data.ehf` says where the files and the camera are from. `01_align.ply` has
SMPL-X's vertices in world axes; that the scans lie in the same axes is inferred.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_runtime.types import Float64
from pixie_train.data.ehf import (
    CAMERA,
    COUNT,
    R_CAMERA_WORLD,
    T_CAMERA_WORLD,
    ehf_folder,
    numbers_with,
    picture_of,
)
from pixie_train.evaluation.benchmarks.files import (
    PictureFile,
    ScanFile,
    complete,
    needed,
    read_mesh,
)
from pixie_train.evaluation.cases import Case, Truth, box_about


@dataclass(frozen=True, eq=False)
class Ehf:
    """The benchmark; meshes are read when asked for."""

    folder: Path
    numbers: tuple[str, ...]
    name: str = "EHF"
    protocol: str = "whole"
    fps: float = 0.0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.numbers)

    def __getitem__(self, index: int) -> Case:
        """Return one; raises SourceError where its mesh cannot be read."""
        number = self.numbers[index]
        vertices = to_camera(read_mesh(self.folder / f"{number}_align.ply")[0])
        return Case(
            name=f"EHF/{number}",
            picture=PictureFile(picture_of(self.folder, number)),
            truth=Truth(
                vertices=vertices,
                scan=ScanFile(self.folder / f"{number}_scan.obj", to_camera),
            ),
            camera=CAMERA,
            box=box_about(CAMERA.project(vertices.astype(np.float32)), 0.02),
        )


def to_camera(points: Float64) -> Float64:
    """Return points (n, 3) of the world in the camera's axes, metres."""
    moved: Float64 = points @ R_CAMERA_WORLD.T + T_CAMERA_WORLD
    return moved


def read_ehf(folder: Path, count: int | None = COUNT) -> Ehf:
    """Open the benchmark in a folder.

    Args:
        folder: with the files, or with a folder EHF that has them.
        count: how many pictures there must be; None: any.

    Raises:
        SourceError: it is incomplete.
    """
    folder = ehf_folder(folder)
    needed(folder, "EHF", "its folder")
    numbers = numbers_with(folder, "_align.ply")
    complete("EHF", len(numbers), count, "aligned meshes (NN_align.ply)")
    for number in numbers:
        needed(picture_of(folder, number), "EHF", "a picture")
        needed(folder / f"{number}_scan.obj", "EHF", "a scan")
    return Ehf(folder, numbers)
