"""EHF, Expressive Hands and Faces (Pavlakos et al., CVPR 2019): 100 pictures.

    FOLDER/01_img.jpg or .png, 01_align.ply, 01_scan.obj, 01_2Djnt.json, to 100_...

Source: the download at smpl-x.is.tue.mpg.de as several projects describe it. The one
camera is that of its `EHF_camera.txt`. `NN_2Djnt.json` is OpenPose's: one person with
25 points of the body, 21 of each hand, and 70 of the face, iBUG's 68 first; found
points lie in the picture's pixels, x, y, confidence.

The paper evaluates on these pictures. They are records so that they can be looked at
and drawn as networks see them; whoever trains with them has no benchmark left.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.errors import SourceError
from pixie_runtime.types import Camera, Float32
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import as_numbers, damaged, read_json, required
from pixie_train.data.body_layouts import FACE_68, OPENPOSE_25
from pixie_train.data.hand_layouts import LEFT_21, RIGHT_21
from pixie_train.data.record import Points, Record

NAME = "EHF"
GET = "download EHF from smpl-x.is.tue.mpg.de and unpack it there"
COUNT = 100
CAMERA = Camera(1498.22426237, (790.263706, 578.90334), (1600, 1200))
R_CAMERA_WORLD = rotations.to_matrix(
    rotations.from_rotvec(np.array([-2.98747896, 0.01172457, -0.05704687]))
)
T_CAMERA_WORLD = np.array([-0.03609917, 0.43416458, 2.37101226])
_PARTS = (
    ("pose_keypoints_2d", OPENPOSE_25),
    ("hand_left_keypoints_2d", tuple(enumerate(LEFT_21))),
    ("hand_right_keypoints_2d", tuple(enumerate(RIGHT_21))),
    ("face_keypoints_2d", tuple(enumerate(FACE_68))),
)


def ehf_folder(folder: Path) -> Path:
    """Return the folder with the files: `folder`, or EHF in it."""
    return folder / "EHF" if (folder / "EHF").is_dir() else folder


def numbers_with(folder: Path, suffix: str) -> tuple[str, ...]:
    """Return the pictures' numbers that have a file of a suffix, in their order."""
    names = [path.name.removesuffix(suffix) for path in folder.glob(f"*{suffix}")]
    return tuple(sorted(names, key=lambda n: (len(n), n)))


def picture_of(folder: Path, number: str) -> Path:
    """Return where a picture is, or would be."""
    png = folder / f"{number}_img.png"
    return png if png.exists() else folder / f"{number}_img.jpg"


class Ehf:
    """EHF's pictures with OpenPose's points as records."""

    def __init__(self, folder: Path, *, count: int | None = None) -> None:
        """Read the points.

        Args:
            folder: with the files, or with a folder EHF that has them.
            count: how many pictures there must be; None: any.

        Raises:
            SourceError: the download is incomplete or damaged.
        """
        self._folder = required(ehf_folder(folder), NAME, GET)
        self._numbers = numbers_with(self._folder, "_2Djnt.json")
        if not self._numbers or count not in (None, len(self._numbers)):
            raise SourceError(
                f"{NAME} is incomplete: {len(self._numbers)} files NN_2Djnt.json were "
                f"found in {self._folder}, expected {count or COUNT}; {GET}"
            )
        for number in self._numbers:
            required(picture_of(self._folder, number), NAME, GET)
        self._points = [self._read(number) for number in self._numbers]

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self._numbers)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        number = self._numbers[index]
        return Record(
            f"ehf/{number}",
            picture_of(self._folder, number),
            CropKind.BODY,
            pixels=self._points[index],
        )

    def _read(self, number: str) -> Points:
        path = self._folder / f"{number}_2Djnt.json"
        content = read_json(path, NAME, GET)
        people = content.get("people") if isinstance(content, dict) else None
        if not isinstance(people, list) or len(people) != 1:
            raise damaged(path, NAME, "it does not hold one person", GET)
        places, rows = [], []
        for key, layout in _PARTS:
            points = self._part(path, people[0], key)
            places += [place for row, place in layout if row < len(points)]
            rows += [points[row] for row, _ in layout if row < len(points)]
        found = np.stack(rows)
        return Points.of(places, found[:, :2], found[:, 2].clip(0, 1))

    def _part(self, path: Path, person: Any, key: str) -> Float32:
        """Return a part's points (n, 3)."""
        if not isinstance(person, dict) or key not in person:
            raise damaged(path, NAME, f'it has no "{key}"', GET)
        flat = as_numbers(person[key], (None,), path, NAME, GET)
        if len(flat) % 3:
            raise damaged(path, NAME, f'"{key}" has {len(flat)} numbers', GET)
        return flat.reshape(-1, 3)
