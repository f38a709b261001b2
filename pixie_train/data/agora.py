"""AGORA (Patel et al., CVPR 2021): crowds of rendered scans with SMPL-X.

    FOLDER/**/SMPLX/train_0_withjv.pkl    "Camera dataframe with SMPL-X joints and
                                          vertices": pickled pandas frames
    FOLDER/**/ag_...png                   pictures, or their halves ..._1280x720.png
    FOLDER/smplx_gt/...                   SMPL-X fits, which may be absent

Source: the columns of the benchmark's `docs/gt_dataframe.md`; a row is a picture, each
cell of a column about people a list of them, which programs of several projects agree
on. Frames are read without running them (`frame_pickle`). Pixels are of pictures of
3840 x 2160; joints are metres in camera axes, the smplx package's 127.

Fits are named by `gt_path_smplx`, with .pkl for .obj; of them body and jaw are taken,
whose rotations are relative to the parent. Fingers are left unknown (whether the mean
pose is in the numbers is not documented), and so are betas (fits are of gendered
models) and roots (they are in the scan's axes).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import Float32
from pixie_train.array_pickle import read_values
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import as_numbers, damaged, required
from pixie_train.data.body_layouts import (
    BODY_POSE,
    JAW_POSE,
    SMPLX_127,
    joined,
    turns_of,
)
from pixie_train.data.inside import inside
from pixie_train.data.record import Points, Record, Turns
from pixie_train.frame_pickle import read_frame
from pixie_train.gender import Gender

NAME = "AGORA"
GET = (
    "download the camera dataframes with SMPL-X joints and vertices and the pictures "
    "from agora.is.tue.mpg.de and unpack them there"
)
WIDTH = 3840
"""Of the pictures that the frames' pixels are of."""
_ABOUT_PEOPLE = ("isValid", "gender", "gt_path_smplx", "gt_joints_2d", "gt_joints_3d")
_GENDERS = {"female": Gender.FEMALE, "male": Gender.MALE}


@dataclass(frozen=True, eq=False)
class Person:
    """One person in one picture, as a frame knows them."""

    number: int
    """Among all people of the frame."""
    picture: str
    """The picture's name."""
    valid: bool
    """Seen well enough to be counted."""
    gender: Gender
    fit: str
    """Where the SMPL-X fit is, an .obj file."""
    pixels: Float32
    """(127, 2) of a picture `WIDTH` wide; or 55 and more."""
    joints: Float32
    """(127, 3), metres, camera axes."""
    vertices: Float32 | None
    """(10475, 3) likewise; None: not asked for."""


def frames(folder: Path, split: str) -> list[Path]:
    """Return the frames of a split, "train" or "validation".

    Raises:
        SourceError: there are none.
    """
    required(folder, NAME, GET)
    found = sorted(folder.rglob(f"{split}_*_withjv.pkl"))
    found = [path for path in found if path.parent.name != "SMPL"]
    if not found:
        raise SourceError(
            f"{NAME} is incomplete: {folder} holds no {split}_*_withjv.pkl of SMPL-X; "
            f"{GET}"
        )
    return found


def read_people(path: Path, *, vertices: bool) -> list[Person]:
    """Return all people of a frame.

    Raises:
        ModelFileError: it is no frame, or lacks a column.
        SourceError: its cells do not hold people.
    """
    columns = [*_ABOUT_PEOPLE, *(["gt_verts"] if vertices else [])]
    cells = read_frame(path, ["imgPath", *columns])
    people: list[Person] = []
    for row, picture in enumerate(cells["imgPath"]):
        lists = [cells[name][row] for name in columns]
        if len({len(some) for some in lists}) != 1:
            reason = f'its row "{picture}" has lists of different lengths'
            raise damaged(path, NAME, reason, GET)
        for values in zip(*lists, strict=True):
            of_person = dict(zip(columns, values, strict=True))
            people.append(_person(path, len(people), str(picture), of_person))
    return people


def _person(path: Path, number: int, picture: str, values: dict[str, Any]) -> Person:
    def numbers(name: str, width: int) -> Float32:
        return as_numbers(values[name], (None, width), path, NAME, GET)

    return Person(
        number,
        picture,
        bool(values["isValid"]),
        _GENDERS.get(str(values["gender"]).lower(), Gender.UNKNOWN),
        str(values["gt_path_smplx"]),
        numbers("gt_joints_2d", 2),
        numbers("gt_joints_3d", 3),
        numbers("gt_verts", 3) if "gt_verts" in values else None,
    )


class Pictures:
    """The pictures at hand by their names, wherever the downloads have them."""

    def __init__(self, folder: Path) -> None:
        """Look for them."""
        self._folder = folder
        self._paths = {path.name: path for path in sorted(folder.rglob("*.png"))}

    def find(self, name: str) -> Path:
        """Return where a picture of a frame is.

        Raises:
            SourceError: nowhere.
        """
        last = name.rsplit("/", 1)[-1]
        for known in (last, last.removesuffix(".png") + "_1280x720.png"):
            if known in self._paths:
                return self._paths[known]
        return required(self._folder / last, NAME, GET)


def scale_of(picture: Path) -> float:
    """Return the size of the pictures at hand against those of the frames' pixels."""
    return float(read_picture(picture).shape[1] / WIDTH)


class Agora:
    """AGORA's people as records; those that are not valid are left out.

    Frames are read at the start, which takes their size in memory for a while.
    """

    def __init__(self, folder: Path, *, split: str = "train") -> None:
        """Read the frames of a split.

        Raises:
            SourceError: the download is incomplete or damaged.
            ModelFileError: a frame is damaged.
        """
        pictures = Pictures(folder)
        self._folder, self._split = folder, split
        self._people: list[tuple[str, Person, Path]] = []
        for path in frames(folder, split):
            for person in read_people(path, vertices=False):
                if person.valid:
                    at = pictures.find(person.picture)
                    self._people.append((path.stem, person, at))
        if not self._people:
            raise SourceError(f"{NAME} is incomplete: nobody is in {folder}; {GET}")

    @cached_property
    def _scale(self) -> float:
        return scale_of(self._people[0][2])

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self._people)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        frame, person, picture = self._people[index]
        rows, places = _known(len(person.pixels))
        return Record(
            f"agora/{frame.removesuffix('_withjv')}/{person.number}",
            picture,
            CropKind.BODY,
            pixels=Points.of(places, person.pixels[rows] * self._scale),
            xyz=Points.of(places, person.joints[rows]),
            skeleton=True,
            rotations=self._turns(person.fit),
            gender=person.gender,
        )

    def _turns(self, fit: str) -> Turns:
        """Return what the fit's file says, if the fits are there."""
        name = str(Path(fit).with_suffix(".pkl"))
        path = inside(self._folder, name, NAME)
        if not (self._folder / "smplx_gt").is_dir():
            return joined()
        values = read_values(required(path, NAME, GET))
        try:
            body, jaw = (
                np.asarray(values[key], np.float64).reshape(-1, 3)
                for key in ("body_pose", "jaw_pose")
            )
            return joined(turns_of(BODY_POSE, body), turns_of(JAW_POSE, jaw))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, NAME, str(error), GET) from error


def _known(count: int) -> tuple[list[int], Sequence[int]]:
    """Return which of the first `count` joints are key points, and which ones."""
    known = [(row, place) for row, place in SMPLX_127 if row < count]
    return [row for row, _ in known], [place for _, place in known]
