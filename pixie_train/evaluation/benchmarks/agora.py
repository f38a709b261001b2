"""AGORA's validation set: crowds of rendered scans with SMPL-X.

The benchmark gives its truth as pickled pandas frames, `validation_SMPLX/SMPLX/
*_withjv.pkl` of the "Camera dataframe with SMPL-X joints and vertices". To open one is
to run what it holds, so it is not opened here; `CONVERSION` is a program that turns
those that you trust into plain arrays beside them, to be run once where pandas is. The
frames' columns are those of the benchmark's `docs/gt_dataframe.md`: imgPath, isValid,
gt_verts, gt_joints_3d, gt_joints_2d (pixels of 3840 x 2160), one row a picture with an
entry a person, which the benchmark's own plots imply and the document does not say.

Pictures are looked for in the folder and in those that the downloads make:
`validation_images_3840x2160` or `validation_images_1280x720`, with or without a folder
`validation` in them.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pixie_runtime.body.archive import AnyArray
from pixie_runtime.errors import SourceError
from pixie_train.evaluation.benchmarks.files import (
    PictureFile,
    complete,
    fitted_camera,
    inside,
    needed,
)
from pixie_train.evaluation.cases import Case, Truth, box_about

CONVERSION = """\
import sys

import numpy as np
import pandas as pd

for path in sys.argv[1:]:
    frame = pd.read_pickle(path)
    rows = [row for _, row in frame.iterrows()]
    people = [(row, k) for row in rows for k in range(len(row["gt_joints_2d"]))]
    arrays = {"imgPath": np.array([row["imgPath"] for row, _ in people])}
    for name in ("isValid", "gt_verts", "gt_joints_3d", "gt_joints_2d"):
        values = np.array([row[name][k] for row, k in people])
        arrays[name] = values if values.dtype == bool else values.astype(np.float32)
    np.savez(path.removesuffix(".pkl") + ".npz", **arrays)
"""
"""Turns frames into the .npz files that are read here: python -c ... FRAMES."""
_WIDTH = 3840
_MATCHED = 24
"""The first joints are those by which people are told apart."""
_KEYS = ("imgPath", "isValid", "gt_verts", "gt_joints_3d", "gt_joints_2d")


@dataclass(frozen=True)
class _Place:
    file: Path
    row: int
    picture: Path


@dataclass(frozen=True, eq=False)
class Agora:
    """The benchmark, a case a person; meshes are read when asked for."""

    places: tuple[_Place, ...]
    scale: float
    """Of the pictures at hand against those of the truth's pixels."""
    name: str = "AGORA"
    protocol: str = "crowd"
    fps: float = 0.0

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self.places)

    def __getitem__(self, index: int) -> Case:
        """Return one; raises SourceError where the truth cannot be read."""
        place = self.places[index]
        arrays = _opened(place.file)
        pixels = arrays["gt_joints_2d"][place.row].astype(np.float64) * self.scale
        joints = arrays["gt_joints_3d"][place.row].astype(np.float64)
        size = (round(_WIDTH * self.scale), round(_WIDTH * self.scale * 9 / 16))
        return Case(
            name=f"AGORA/{place.picture.stem}/{place.row}",
            picture=PictureFile(place.picture),
            truth=Truth(
                vertices=arrays["gt_verts"][place.row],
                joints=joints,
                pixels=pixels[:_MATCHED],
            ),
            camera=fitted_camera(joints, pixels, size),
            box=box_about(pixels, 0.02),
            group=place.picture.name,
            number=place.row,
        )


def read_agora(folder: Path) -> Agora:
    """Open the validation set in a folder.

    Raises:
        SourceError: it is incomplete, or its frames were not turned into arrays yet.
    """
    needed(folder, "AGORA", "its folder")
    files = sorted(folder.rglob("*_withjv.npz"))
    if not files:
        frames = sorted(folder.rglob("*_withjv.pkl"))
        raise SourceError(
            f"AGORA in {folder} has no *_withjv.npz but {len(frames)} pickled frames "
            "*_withjv.pkl, which could run programs and are not opened; turn them into "
            "arrays with the program in docs/evaluation.md"
        )
    places: list[_Place] = []
    for file in files:
        arrays = _opened(file)
        pictures = [str(name) for name in arrays["imgPath"]]
        valid = arrays["isValid"].astype(bool)
        rows = np.flatnonzero(valid).tolist()
        # Those of one picture together, whatever their order in the file.
        for row in sorted(rows, key=lambda k: (pictures[k], k)):
            places.append(_Place(file, row, _picture(folder, pictures[row])))
    complete("AGORA", len(places), None, "people")
    width = PictureFile(places[0].picture)().shape[1]
    return Agora(tuple(places), width / _WIDTH)


def _picture(folder: Path, name: str) -> Path:
    downloads = [folder / f"validation_images_{s}" for s in ("3840x2160", "1280x720")]
    parents = [p for d in (*downloads, folder) for p in (d / "validation", d)]
    short = name.removesuffix(".png") + "_1280x720.png"
    for parent in parents:
        for candidate in (name, short):
            path = inside(parent, candidate, "AGORA")
            if path.exists():
                return path
    return needed(inside(downloads[0], name, "AGORA"), "AGORA", "a picture")


@lru_cache(maxsize=1)
def _opened(path: Path) -> dict[str, AnyArray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in _KEYS}
    # A damaged archive can fail in any way that a parser can.
    except Exception as error:
        raise SourceError(
            f"{path} does not hold AGORA's truth ({error}); expected the arrays "
            f"{', '.join(_KEYS)}: make it again with the program in docs/evaluation.md"
        ) from error
    if len({len(array) for array in arrays.values()}) != 1:
        raise SourceError(f"the arrays of {path} are not as long as one another")
    return arrays
