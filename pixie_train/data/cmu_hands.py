"""CMU's hand key point data sets (Simon et al., CVPR 2017): points in pictures alone.

Any of these, beside one another in a folder or the folder itself:

    hand_labels/manual_train/NAME.json, NAME.jpg     (manual_test is left alone)
    hand_labels_synth/synth1 ... synth4/NAME.json, NAME.jpg
    hand143_panopticdb/hands_v143_14817.json, imgs/00000000.jpg ...

A label of the first two is {"hand_pts": 21 x 3, "is_left": 0 or 1}; the third's "root"
is a list of {"img_paths": "imgs/...", "joint_self": 21 x 3}, all right hands. The third
number is 1 where a point is known. Source: domedb.perception.cs.cmu.edu/handdb.html and
how public readers open it; inferred: that pixels are counted by their centres, and that
labels without "is_left" are of right hands.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float32
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import as_numbers, damaged, read_json
from pixie_train.data.hand_layouts import HAND_POINTS, places_of_hand
from pixie_train.data.record import Points, Record

_NAME = "CMU's hands"
_GET = (
    "download hand_labels.zip, hand_labels_synth.zip or hand143_panopticdb.tar from "
    "domedb.perception.cs.cmu.edu/handdb.html and unpack all of it there"
)
_ONE_FILE_EACH = (
    "hand_labels/manual_train",
    "manual_train",
    *(f"hand_labels_synth/synth{k}" for k in (1, 2, 3, 4)),
    *(f"synth{k}" for k in (1, 2, 3, 4)),
)
_ONE_FILE = ("hand143_panopticdb", ".")
_LIST = "hands_v143_14817.json"
_PIXEL_CENTRE = 0.5


@dataclass(frozen=True, eq=False)
class _Hand:
    picture: Path
    points: Float32
    """(21, 3): pixels, and whether they are known."""
    left: bool


class CmuHands:
    """The data sets' hands as records."""

    def __init__(self, folder: Path) -> None:
        """Read what is there of the three.

        Raises:
            SourceError: none of them is there, or one is incomplete or damaged.
        """
        self._folder = folder
        self._hands: list[_Hand] = []
        for place in _ONE_FILE_EACH:
            for path in sorted((folder / place).glob("*.json")):
                self._hands.append(_labelled(path))
        for place in _ONE_FILE:
            if (folder / place / _LIST).is_file():
                self._hands += _listed(folder / place / _LIST)
        if not self._hands:
            raise SourceError(f"there are none of {_NAME} in {folder}; {_GET}")
        for hand in (self._hands[0], self._hands[-1]):
            if not hand.picture.is_file():
                raise SourceError(
                    f"{_NAME} are incomplete: there is no {hand.picture}; {_GET}"
                )

    def __len__(self) -> int:
        """Return how many hands there are."""
        return len(self._hands)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        hand = self._hands[index]
        known = (hand.points[:, 2] == 1).astype(np.float32)
        at = hand.points[:, :2] + _PIXEL_CENTRE
        where = hand.picture.relative_to(self._folder).with_suffix("")
        return Record(
            f"cmu-hands/{where.as_posix()}",
            hand.picture,
            CropKind.HAND,
            pixels=Points.of(places_of_hand(left=hand.left), at, known),
            left=hand.left,
        )


def _labelled(path: Path) -> _Hand:
    label = read_json(path, _NAME, _GET)
    if not isinstance(label, dict) or "hand_pts" not in label:
        raise damaged(path, _NAME, 'it has no "hand_pts"', _GET)
    return _Hand(
        path.with_suffix(".jpg"),
        as_numbers(label["hand_pts"], (HAND_POINTS, 3), path, _NAME, _GET),
        bool(label.get("is_left", 0)),
    )


def _listed(path: Path) -> list[_Hand]:
    content = read_json(path, _NAME, _GET)
    rows: Any = content.get("root") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise damaged(path, _NAME, 'it has no "root" of pictures and points', _GET)
    points = as_numbers(
        [row["joint_self"] for row in rows], (None, HAND_POINTS, 3), path, _NAME, _GET
    )
    pictures = [path.parent / "imgs" / Path(row["img_paths"]).name for row in rows]
    return [_Hand(p, xy, left=False) for p, xy in zip(pictures, points, strict=True)]


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and {"img_paths", "joint_self"} <= set(row)
