"""NoW, "not quite in-the-wild": faces in four challenges, with one scan a person.

Layout, of the challenge's page and of the README of its evaluation's fork for Docker:
`imagepathsvalidation.txt` and `imagepathstest.txt` name pictures as
SUBJECT/CHALLENGE/IMG_0001.jpg, which lie in
`NoW_Dataset/final_release_version/iphone_pictures/`, a box about each face in
`.../detected_face/` under the same name with .npy; `scans/SUBJECT/*.obj` in
millimetres, and `scans_lmks_onlypp/SUBJECT/*.pp`, MeshLab's picked points, seven of
them in `face_scan.LANDMARKS_OF_51`'s order. A picture without a box is looked at whole.
Only the validation set's scans can be had; what is said of the test set's pictures is
for the challenge to measure.
"""

import re
from pathlib import Path
from typing import Literal

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float64
from pixie_train.data.inside import inside
from pixie_train.data.now import read_box
from pixie_train.evaluation.benchmarks.files import (
    PictureFile,
    ScanFile,
    complete,
    needed,
)
from pixie_train.evaluation.cases import Box, Case, CaseList, Truth

Part = Literal["validation", "test"]
_LISTS: dict[Part, str] = {
    "validation": "imagepathsvalidation.txt",
    "test": "imagepathstest.txt",
}
_RELEASE = Path("NoW_Dataset") / "final_release_version"
_WITHHELD = "the test set's scans are withheld, so that only the challenge measures it"
_POINT = re.compile(r"<point\b[^>]*>")
_AXIS = re.compile(r'\b([xyz])\s*=\s*"([^"]*)"')


def picture_names(folder: Path, part: Part = "validation") -> list[str]:
    """Return the names in a set's list, SUBJECT/CHALLENGE/FILE.

    Raises:
        SourceError: it is missing or empty.
    """
    path = folder / _LISTS[part]
    needed(path, "NoW", f"the list of the {part} set's pictures")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    # Lists say the path from somewhere; its last three parts are the same everywhere.
    names = ["/".join(line.strip().split("/")[-3:]) for line in lines if line.strip()]
    complete("NoW", len(names), None, f"pictures in {path.name}")
    return names


def read_now(folder: Path, part: Part = "validation") -> CaseList:
    """Read the validation set in a folder, or the test set, which has no truth.

    Raises:
        SourceError: it is incomplete.
    """
    cases = []
    release = needed(folder / _RELEASE, "NoW", "its pictures")
    subjects: dict[str, Truth] = {}
    for name in picture_names(folder, part):
        subject, _, rest = name.partition("/")
        if subject not in subjects:
            subjects[subject] = (
                _truth(folder, subject) if part == "validation" else Truth()
            )
        picture = inside(release / "iphone_pictures", name, "NoW")
        needed(picture, "NoW", "a picture")
        box = inside(release / "detected_face", name, "NoW").with_suffix(".npy")
        cases.append(
            Case(
                name=f"NoW/{name}",
                picture=PictureFile(picture),
                truth=subjects[subject],
                box=_box(box) if box.exists() else None,
                group=rest.partition("/")[0],
            )
        )
    notes = () if part == "validation" else (_WITHHELD,)
    return CaseList("NoW", "face", tuple(cases), notes=notes)


def read_picked_points(path: Path) -> Float64:
    """Return the points of MeshLab's .pp file, (n, 3), in its order.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        rows = [dict(_AXIS.findall(tag)) for tag in _POINT.findall(text)]
        points = np.array([[float(row[a]) for a in "xyz"] for row in rows])
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(
            f"cannot read the landmarks of {path} ({error}); get a fresh copy"
        ) from error
    return points.reshape(-1, 3)


def _box(path: Path) -> Box:
    x0, y0, x1, y1 = read_box(path).tolist()
    return x0, y0, x1, y1


def _truth(folder: Path, subject: str) -> Truth:
    scans = sorted(inside(folder / "scans", subject, "NoW").glob("*.obj"))
    points = sorted(inside(folder / "scans_lmks_onlypp", subject, "NoW").glob("*.pp"))
    complete("NoW", len(scans), 1, f"scans of {subject}")
    complete("NoW", len(points), 1, f"landmark files of {subject}")
    landmarks = read_picked_points(points[0])
    if landmarks.shape != (7, 3):
        raise SourceError(
            f"{points[0]} has {len(landmarks)} landmarks, expected 7; get a fresh copy"
        )
    return Truth(scan=ScanFile(scans[0]), scan_landmarks=landmarks)
