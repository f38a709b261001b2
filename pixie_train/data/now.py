"""The NoW benchmark's pictures (Sanyal et al., CVPR 2019): where what lies, and boxes.

    FOLDER/NoW_Dataset/final_release_version/
        iphone_pictures/SUBJECT/CHALLENGE/NAME.jpg
        detected_face/SUBJECT/CHALLENGE/NAME.npy
    FOLDER/imagepathsvalidation.txt, imagepathstest.txt    SUBJECT/CHALLENGE/NAME.jpg

Challenges are multiview_neutral, multiview_expressions, multiview_occlusions and
selfie. FOLDER may also be one of the two folders below. A box is a pickled dictionary
of left, top, right and bottom in pixels, in numpy's wrapping. Source:
now.is.tue.mpg.de (2054 pictures of 100 people, crops of faces provided) and names that
public readers open; inferred: the dictionary's keys.

There are no landmarks and no labels: a record has a box, for looking and measuring. It
trains nothing.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import ModelFileError, SourceError, UsageError
from pixie_runtime.types import Float32
from pixie_train.array_pickle import plain_values
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import damaged, first_of, required
from pixie_train.data.record import Record

_NAME = "NoW"
_GET = (
    "download NoW_Dataset.zip and the lists of pictures from now.is.tue.mpg.de and "
    "unpack all of it there"
)
_LISTS = {"validation": "imagepathsvalidation.txt", "test": "imagepathstest.txt"}
_PLACES = ("NoW_Dataset/final_release_version", "final_release_version", "")
_PARTS = 3
"""Of a picture's path: person, challenge, file; lists may say more before it."""
_SIDES = ("left", "top", "right", "bottom")


class NowPictures:
    """The benchmark's pictures as records, in the order of its list."""

    def __init__(self, folder: Path, part: str = "validation") -> None:
        """Read the list.

        Args:
            folder: of the data set.
            part: `validation` or `test`.

        Raises:
            SourceError: the download is incomplete.
            UsageError: there is no such part.
        """
        if part not in _LISTS:
            raise UsageError(f"NoW has no part {part}; expected {', '.join(_LISTS)}")
        required(folder, _NAME, _GET)
        places = [folder / place for place in _PLACES]
        self.pictures = first_of([p / "iphone_pictures" for p in places], _NAME, _GET)
        self.boxes = first_of([p / "detected_face" for p in places], _NAME, _GET)
        found = first_of([p / _LISTS[part] for p in reversed(places)], _NAME, _GET)
        lines = found.read_text(encoding="utf-8", errors="replace").split("\n")
        self.paths = tuple(_confined(line, found) for line in lines if line.strip())
        if not self.paths:
            raise damaged(found, _NAME, "it is empty", _GET)
        for path in (self.paths[0], self.paths[-1]):
            required(self.pictures / path, _NAME, _GET)

    def __len__(self) -> int:
        """Return how many pictures the list has."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Record:
        """Return one with its box; the picture is not opened."""
        path = self.paths[index]
        return Record(
            f"now/{path.with_suffix('').as_posix()}",
            self.pictures / path,
            CropKind.HEAD,
            box=read_box((self.boxes / path).with_suffix(".npy")),
        )


def read_box(path: Path) -> Float32:
    """Return a face's box (4,): x0, y0, x1, y1 in pixels.

    Raises:
        SourceError: the file is missing or no such box.
    """
    required(path, _NAME, _GET)
    try:
        values = _object_of(path.read_bytes(), path)
        corners = np.array([float(values[side]) for side in _SIDES], np.float32)
    except (ModelFileError, OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, _NAME, str(error) or type(error).__name__, _GET) from error
    if not (corners[:2] < corners[2:]).all():
        raise damaged(path, _NAME, "its box has no inside", _GET)
    return corners


def _object_of(data: bytes, path: Path) -> Any:
    """Return the one plain value of an .npy file of objects, running nothing of it."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        np.lib.format.read_array_header_1_0(stream)
    else:
        np.lib.format.read_array_header_2_0(stream)
    return plain_values(stream.read(), path)


def _confined(line: str, found: Path) -> Path:
    path = Path(*Path(line.strip()).parts[-_PARTS:])
    if len(path.parts) != _PARTS or ".." in path.parts:
        raise SourceError(
            f"{found} names {path}, which is outside of the data set; {_GET}"
        )
    return path
