"""3DPW (von Marcard et al., ECCV 2018): people outdoors, with SMPL.

    FOLDER/sequenceFiles/train/SEQUENCE.pkl
    FOLDER/imageFiles/SEQUENCE/image_00000.jpg

Source: the download's readme. A sequence's dictionary has lists with one entry a
person: `jointPositions` (N, 72) in world axes, `poses` (N, 72) axis-angles, `poses2D`
(N, 3, 18) of OpenPose in COCO's layout, `campose_valid` (N,), `genders`; and for all
`cam_poses` (N, 4, 4), world to camera, and `cam_intrinsics` (3, 3). Inferred: pictures
are numbered from 0 with five digits; files write latin-1 strings of Python 2.

SMPL's first 22 joints are SMPL-X's and turn alike, so rotations of root and body are
taken over. SMPL's hips, neck and head lie centimetres from the key points of these
names and are left out of the points; betas are another space's and unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.errors import SourceError
from pixie_runtime.types import Camera, Float64
from pixie_train.array_pickle import read_values
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import damaged, required
from pixie_train.data.body_layouts import COCO_18
from pixie_train.data.record import Points, Record, Turns
from pixie_train.gender import Gender
from pixie_train.pinhole import camera_of_matrix

NAME = "3DPW"
GET = "download it from virtualhumans.mpi-inf.mpg.de/3DPW and unpack it there"
SEQUENCES = {"train": 24, "validation": 12, "test": 24}
_BODY = tuple(range(22))
_SAME_PLACE = tuple(j for j in _BODY if j not in (1, 2, 12, 15))
"""SMPL's joints that lie where the key points of their names do."""
_SEEN = tuple((row, place) for row, place in COCO_18 if place >= len(_BODY))
"""Nose, eyes and ears, which SMPL has not."""
_SHAPES = {"jointPositions": (24, 3), "poses": (24, 3), "poses2D": (3, 18)}
"""What is said of a person in each picture."""
_GENDERS = {"f": Gender.FEMALE, "m": Gender.MALE}


@dataclass(frozen=True, eq=False)
class Sequence3dpw:
    """One sequence, as its file says it; N pictures."""

    name: str
    pictures: Path
    """Folder of its pictures."""
    camera: Camera
    poses: Float64
    """World to camera, (N, 4, 4)."""
    people: tuple[dict[str, Any], ...]
    """What lists with an entry a person say of each."""

    def picture(self, frame: int) -> Path:
        """Return where a picture is."""
        return self.pictures / f"image_{frame:05d}.jpg"

    def frames(self, person: int) -> list[int]:
        """Return those whose camera was aligned with the picture."""
        rows = np.asarray(self.people[person]["campose_valid"]).astype(bool).ravel()
        return [int(k) for k in np.flatnonzero(rows) if k < len(self.poses)]

    def joints(self, person: int, frame: int) -> Float64:
        """Return SMPL's 24 joints before the camera, (24, 3)."""
        world = self.people[person]["jointPositions"][frame]
        pose = self.poses[frame]
        seen: Float64 = world @ pose[:3, :3].T + pose[:3, 3]
        return seen


def read_sequences(
    folder: Path, split: str, count: int | None = None, also: Sequence[str] = ()
) -> list[Sequence3dpw]:
    """Read the sequences of a split.

    Args:
        folder: with sequenceFiles and imageFiles.
        split: a name of `SEQUENCES`.
        count: how many there must be; None: any.
        also: what is wanted of people beside joints and valid frames.

    Raises:
        SourceError: the download is incomplete.
        ModelFileError: a sequence's file is damaged.
    """
    files = required(folder / "sequenceFiles" / split, NAME, GET)
    pictures = required(folder / "imageFiles", NAME, GET)
    paths = sorted(files.glob("*.pkl"))
    if not paths or count not in (None, len(paths)):
        raise SourceError(
            f"{NAME} is incomplete: {len(paths)} sequences are in {files}, expected "
            f"{count or SEQUENCES[split]}; {GET}"
        )
    return [_sequence(path, pictures, also) for path in paths]


def _sequence(path: Path, pictures: Path, also: Sequence[str]) -> Sequence3dpw:
    values = read_values(path)
    of_people = ("jointPositions", "campose_valid", *also)
    names = (*of_people, "cam_poses", "cam_intrinsics")
    if not isinstance(values, dict) or not set(names) <= set(values):
        raise damaged(path, NAME, f"expected {', '.join(names)} in it", GET)
    try:
        poses = np.asarray(values["cam_poses"], np.float64).reshape(-1, 4, 4)
        K = np.asarray(values["cam_intrinsics"], np.float64).reshape(3, 3)
        people = tuple(
            {name: values[name][k] for name in of_people}
            for k in range(len(values["jointPositions"]))
        )
        for person in people:
            for name in person.keys() & _SHAPES.keys():
                person[name] = np.asarray(person[name], np.float64)
    except (ValueError, TypeError, IndexError) as error:
        raise damaged(path, NAME, str(error), GET) from error
    for person in people:
        for name, each in _SHAPES.items():
            if name in person:
                person[name] = _of_frames(person[name], name, (len(poses), *each), path)
    folder = required(pictures / path.stem, NAME, GET)
    return Sequence3dpw(path.stem, folder, camera_of_matrix(K), poses, people)


def _of_frames(
    found: Float64, name: str, shape: tuple[int, ...], path: Path
) -> Float64:
    """Return what is said of each picture in a shape; the numbers may lie in rows."""
    if found.shape[:1] != shape[:1] or found.size != np.prod(shape):
        expected = " x ".join(map(str, shape))
        reason = f'"{name}" has shape {found.shape}, expected {expected} numbers'
        raise damaged(path, NAME, reason, GET)
    return found.reshape(shape)


class ThreeDpw:
    """3DPW's people as records, a picture and person each."""

    def __init__(
        self, folder: Path, *, split: str = "train", count: int | None = None
    ) -> None:
        """Read the sequences of a split.

        Args:
            folder: with sequenceFiles and imageFiles.
            split: "train" or "validation"; "test" is the benchmark.
            count: how many sequences there must be; None: any.

        Raises:
            SourceError: the download is incomplete.
            ModelFileError: a sequence's file is damaged.
        """
        also = ("poses", "poses2D", "genders")
        self._sequences = read_sequences(folder, split, count, also)
        self._places = [
            (sequence, person, frame)
            for sequence in self._sequences
            for person in range(len(sequence.people))
            for frame in sequence.frames(person)
        ]

    def __len__(self) -> int:
        """Return how many people in pictures there are."""
        return len(self._places)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        sequence, number, frame = self._places[index]
        person = sequence.people[number]
        joints = sequence.joints(number, frame)[list(_SAME_PLACE)]
        pixels = sequence.camera.project(joints.astype(np.float32))
        found = person["poses2D"][frame].T
        rows = [row for row, _ in _SEEN]
        places = [*_SAME_PLACE, *(place for _, place in _SEEN)]
        certain = np.concatenate([np.ones(len(pixels)), found[rows, 2].clip(0, 1)])
        turns = person["poses"][frame][: len(_BODY)]
        R = rotations.to_matrix(rotations.from_rotvec(turns))
        R[0] = sequence.poses[frame, :3, :3] @ R[0]
        return Record(
            f"3dpw/{sequence.name}/{number}/{frame}",
            sequence.picture(frame),
            CropKind.BODY,
            pixels=Points.of(places, [*pixels, *found[rows, :2]], certain),
            xyz=Points.of(_SAME_PLACE, joints),
            rotations=Turns.of(55, _BODY, R),
            gender=_GENDERS.get(str(person["genders"])[:1].lower(), Gender.UNKNOWN),
        )
