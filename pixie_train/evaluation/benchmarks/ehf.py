"""EHF, Expressive Hands and Faces: 100 pictures of a person with meshes and scans.

Layout, of the unpacked download (https://smpl-x.is.tue.mpg.de): `01_img.jpg` or
`01_img.png`, `01_align.ply` (SMPL-X's vertices, in world axes), `01_scan.obj`, to
`100_...`. The one camera is that of the download's `EHF_camera.txt`; its numbers and
the files' names agree in several independent projects' descriptions. That the scans lie
in the axes of the aligned meshes is inferred.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.types import Camera, Float64
from pixie_train.evaluation.benchmarks.files import (
    PictureFile,
    ScanFile,
    complete,
    needed,
    read_mesh,
)
from pixie_train.evaluation.cases import Case, Truth, box_about

COUNT = 100
CAMERA = Camera(1498.22426237, (790.263706, 578.90334), (1600, 1200))
_R_CAMERA_WORLD = rotations.to_matrix(
    rotations.from_rotvec(np.array([-2.98747896, 0.01172457, -0.05704687]))
)
_T_CAMERA_WORLD = np.array([-0.03609917, 0.43416458, 2.37101226])


@dataclass(frozen=True, eq=False)
class Ehf:
    """The benchmark; meshes are read when asked for."""

    folder: Path
    numbers: tuple[str, ...]
    name: str = "EHF"
    protocol: str = "whole"
    fps: float = 0.0

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.numbers)

    def __getitem__(self, index: int) -> Case:
        """Return one; raises SourceError where its mesh cannot be read."""
        number = self.numbers[index]
        vertices = to_camera(read_mesh(self.folder / f"{number}_align.ply")[0])
        return Case(
            name=f"EHF/{number}",
            picture=PictureFile(_picture(self.folder, number)),
            truth=Truth(
                vertices=vertices,
                scan=ScanFile(self.folder / f"{number}_scan.obj", to_camera),
            ),
            camera=CAMERA,
            box=box_about(CAMERA.project(vertices.astype(np.float32)), 0.02),
        )


def to_camera(points: Float64) -> Float64:
    """Return points (n, 3) of the world in the camera's axes, metres."""
    moved: Float64 = points @ _R_CAMERA_WORLD.T + _T_CAMERA_WORLD
    return moved


def read_ehf(folder: Path, count: int | None = COUNT) -> Ehf:
    """Open the benchmark in a folder.

    Args:
        folder: with the files, or with a folder EHF that has them.
        count: how many pictures there must be; None: any.

    Raises:
        SourceError: it is incomplete.
    """
    if (folder / "EHF").is_dir():
        folder = folder / "EHF"
    needed(folder, "EHF", "its folder")
    suffix = "_align.ply"
    numbers = [path.name.removesuffix(suffix) for path in folder.glob(f"*{suffix}")]
    complete("EHF", len(numbers), count, "aligned meshes (NN_align.ply)")
    for number in numbers:
        needed(_picture(folder, number), "EHF", "a picture")
        needed(folder / f"{number}_scan.obj", "EHF", "a scan")
    return Ehf(folder, tuple(sorted(numbers, key=lambda n: (len(n), n))))


def _picture(folder: Path, number: str) -> Path:
    png = folder / f"{number}_img.png"
    return png if png.exists() else folder / f"{number}_img.jpg"
