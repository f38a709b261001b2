"""3DPW: people outdoors, filmed with a telephone, with SMPL from inertial sensors.

Layout, of the download's readme.txt: `sequenceFiles/test/SEQUENCE.pkl` and
`imageFiles/SEQUENCE/image_00000.jpg`. A sequence's dictionary has lists with one entry
a person: `jointPositions` (N, 72) in world axes, `campose_valid` (N,); and for all
`cam_poses` (N, 4, 4), world to camera, and `cam_intrinsics` (3, 3). That the pictures
are numbered from 0 with five digits is inferred, as is that the files write latin-1
strings of Python 2.

The truth is SMPL's own 24 joints, of which 14 are LSP's. Published figures regress the
14 joints from SMPL's vertices, which takes that licensed model; hips, neck and head
then lie some centimetres elsewhere.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float64
from pixie_train.array_pickle import read_values
from pixie_train.evaluation.benchmarks.files import (
    PictureFile,
    camera_of,
    complete,
    needed,
)
from pixie_train.evaluation.cases import Case, CaseList, Truth, box_about
from pixie_train.key_points import REGRESSED_JOINTS

SEQUENCES = 24
"""Of the test set."""
_FPS = 30.0


def read_3dpw(folder: Path, count: int | None = SEQUENCES) -> CaseList:
    """Read the test set in a folder.

    Args:
        folder: with sequenceFiles and imageFiles.
        count: how many sequences there must be; None: any.

    Raises:
        SourceError: it is incomplete.
        ModelFileError: a sequence's file is damaged.
    """
    files = needed(folder / "sequenceFiles" / "test", "3DPW", "the test set's bodies")
    pictures = needed(folder / "imageFiles", "3DPW", "its pictures")
    paths = sorted(files.glob("*.pkl"))
    complete("3DPW", len(paths), count, "sequences of the test set")
    cases = [case for path in paths for case in _cases(path, pictures)]
    return CaseList("3DPW", "joints", tuple(cases), _FPS)


def _cases(path: Path, pictures: Path) -> list[Case]:
    values = read_values(path)
    names = ("jointPositions", "cam_poses", "cam_intrinsics", "campose_valid")
    if not isinstance(values, dict) or not set(names) <= set(values):
        raise SourceError(
            f"{path} is not a sequence of 3DPW: expected {', '.join(names)} in it; get "
            "a fresh copy"
        )
    folder = needed(pictures / path.stem, "3DPW", "a sequence's pictures")
    poses = np.asarray(values["cam_poses"], np.float64).reshape(-1, 4, 4)
    camera = camera_of(np.asarray(values["cam_intrinsics"], np.float64))
    cases = []
    for person, positions in enumerate(values["jointPositions"]):
        world = np.asarray(positions, np.float64).reshape(-1, 24, 3)
        if len(world) != len(poses):
            raise SourceError(
                f"{path} has {len(world)} poses for {len(poses)} cameras; get a fresh "
                "copy"
            )
        for frame in _valid(values["campose_valid"], person, len(world)):
            joints = _to_camera(poses[frame], world[frame])
            pixels = camera.project(joints.astype(np.float32))
            cases.append(
                Case(
                    name=f"3DPW/{path.stem}/{person}/{frame}",
                    picture=PictureFile(folder / f"image_{frame:05d}.jpg"),
                    truth=Truth(joints14=joints[list(REGRESSED_JOINTS)]),
                    camera=camera,
                    box=box_about(pixels, 0.12),
                    group=f"{path.stem}/{person}",
                    number=frame,
                )
            )
    return cases


def _valid(valid: Any, person: int, count: int) -> list[int]:
    """Return the frames whose camera was aligned with the picture."""
    rows = np.asarray(valid[person]).astype(bool).ravel()
    return [int(frame) for frame in np.flatnonzero(rows) if frame < count]


def _to_camera(pose: Float64, points: Float64) -> Float64:
    moved: Float64 = points @ pose[:3, :3].T + pose[:3, 3]
    return moved
