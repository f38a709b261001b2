"""CMU's Total Motion hands (Xiang et al., CVPR 2019): both hands from 31 cameras.

    FOLDER/annotation.pkl       {"training_data": [...], "testing_data": [...]}
    FOLDER/camera_data.pkl      sequence -> 31 cameras of "K", "R", "t", "distCoef"
    FOLDER/hdImgs/SEQUENCE/FRAME/00_CC_FRAME.jpg    1920 x 1080

The two pickles may also lie in `annot` or `annotation`. A frame of the annotation has
"seqName", "frame_str" and, where there is one, "left_hand" and "right_hand":
"landmarks", 21 x 3 numbers in a row, centimetres in the studio, and "2D", which has for
each camera "occluded" and "insideImg", 21 flags each. Source: the data set's page
(domedb.perception.cs.cmu.edu/mtc.html) and how public readers open it
(naoc-1861355/Public_Handpose_Datasets); inferred: that flags may be missing, that
cameras distort as OpenCV's do (k1, k2, p1, p2, k3), that pixels are counted by their
centres. There are no rotations and no shapes.

Some cameras' pictures are missing by design; a download without any is incomplete. The
pickle is read without running what it names (`array_pickle`), which for all of the
annotation takes minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float32
from pixie_train.array_pickle import read_values
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import as_numbers, damaged, first_of, required
from pixie_train.data.hand_layouts import HAND_POINTS, places_of_hand
from pixie_train.data.record import Points, Record

_NAME = "Total Motion"
_GET = (
    "download the data set from domedb.perception.cs.cmu.edu/mtc.html and unpack all "
    "of it there"
)
_PLACES = ("", "annot", "annotation")
_SPLITS = {"training": "training_data", "testing": "testing_data"}
_METRES = 0.01
_PIXEL_CENTRE = 0.5


@dataclass(frozen=True)
class TotalMotionChoices:
    """What is taken of the data set."""

    split: str = "training"
    """`training` or `testing`."""
    most_hidden: int = 5
    """Views in which more of the 21 points are hidden or outside are left out."""
    hidden_confidence: float = 0.3
    """Confidence in the picture of points that are inside it but hidden."""


@dataclass(frozen=True, eq=False)
class _Camera:
    K: Float32
    R: Float32
    t: Float32
    distortion: Float32


@dataclass(frozen=True, eq=False)
class _View:
    """One hand as one camera sees it."""

    sequence: str
    frame: str
    camera: int
    left: bool
    hand: int
    """Number of its points."""
    seen: Float32
    """(21,) confidence."""


class TotalMotion:
    """Hands of the data set as records, one for each camera that sees enough."""

    def __init__(self, folder: Path, choices: TotalMotionChoices | None = None) -> None:
        """Read the annotation.

        Raises:
            SourceError: the download is incomplete or damaged.
            ModelFileError: a pickle holds something else than plain numbers and texts.
        """
        self._choices = choices or TotalMotionChoices()
        places = [folder / place for place in _PLACES]
        required(folder, _NAME, _GET)
        self._annotation = first_of([p / "annotation.pkl" for p in places], _NAME, _GET)
        self._camera_file = first_of(
            [p / "camera_data.pkl" for p in places], _NAME, _GET
        )
        self._pictures = required(folder / "hdImgs", _NAME, _GET)
        try:
            frames = read_values(self._annotation)[_SPLITS[self._choices.split]]
            cameras = read_values(self._camera_file)
            self._hands: list[Float32] = []
            self._cameras: dict[tuple[str, int], _Camera] = {}
            self._views = [v for f in frames for v in self._views_of(f, cameras)]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__} {error}"
            raise damaged(self._annotation, _NAME, reason, _GET) from error
        if not self._views:
            raise SourceError(
                f"{_NAME} is incomplete: not one picture of its {len(frames)} "
                f"{self._choices.split} frames is in {self._pictures}; {_GET}"
            )

    def __len__(self) -> int:
        """Return how many views of hands there are."""
        return len(self._views)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        view = self._views[index]
        camera = self._cameras[view.sequence, view.camera]
        metres = self._hands[view.hand]
        turn, _ = cv2.Rodrigues(camera.R.astype(np.float64))
        at, _ = cv2.projectPoints(
            metres.astype(np.float64),
            turn,
            camera.t.astype(np.float64),
            camera.K.astype(np.float64),
            camera.distortion.astype(np.float64),
        )
        places = places_of_hand(left=view.left)
        side = "left" if view.left else "right"
        return Record(
            f"total-motion/{view.sequence}/{view.frame}/{view.camera:02d}/{side}",
            self._picture(view.sequence, view.frame, view.camera),
            CropKind.HAND,
            pixels=Points.of(places, at[:, 0] + _PIXEL_CENTRE, view.seen),
            xyz=Points.of(places, metres @ camera.R.T + camera.t),
            left=view.left,
        )

    def _picture(self, sequence: str, frame: str, camera: int) -> Path:
        return self._pictures / sequence / frame / f"00_{camera:02d}_{frame}.jpg"

    def _views_of(self, frame: Any, cameras: Any) -> Iterator[_View]:
        sequence, number = _name(frame["seqName"]), _name(frame["frame_str"])
        there = self._pictures / sequence / number
        names = {path.name for path in there.iterdir()} if there.is_dir() else set()
        if not names:
            return
        for left, key in ((True, "left_hand"), (False, "right_hand")):
            if key not in frame:
                continue
            self._hands.append(self._points(frame[key]["landmarks"]) * _METRES)
            for camera, flags in _by_camera(frame[key]["2D"]):
                if self._picture(sequence, number, camera).name not in names:
                    continue
                seen = self._seen(flags)
                if (seen < 1).sum() > self._choices.most_hidden:
                    continue
                if (sequence, camera) not in self._cameras:
                    self._cameras[sequence, camera] = self._camera(
                        cameras[sequence][camera]
                    )
                hand = len(self._hands) - 1
                yield _View(sequence, number, camera, left, hand, seen)

    def _seen(self, flags: Any) -> Float32:
        hidden = np.asarray(flags.get("occluded", [0] * HAND_POINTS), np.bool_)
        inside = np.asarray(flags.get("insideImg", [1] * HAND_POINTS), np.bool_)
        if hidden.shape != (HAND_POINTS,) or inside.shape != (HAND_POINTS,):
            raise TypeError(f"flags of shape {hidden.shape}, expected {HAND_POINTS}")
        seen = np.where(hidden, self._choices.hidden_confidence, 1.0)
        return np.asarray(np.where(inside, seen, 0), np.float32)

    def _points(self, landmarks: Any) -> Float32:
        flat = np.asarray(landmarks, np.float32).reshape(-1)
        shape = (3 * HAND_POINTS,)
        path = self._annotation
        return as_numbers(flat, shape, path, _NAME, _GET).reshape(HAND_POINTS, 3)

    def _camera(self, values: Any) -> _Camera:
        def numbers(key: str, count: int) -> Float32:
            flat = np.asarray(values[key], np.float32).reshape(-1)
            return as_numbers(flat, (count,), self._camera_file, _NAME, _GET)

        return _Camera(
            K=numbers("K", 9).reshape(3, 3),
            R=numbers("R", 9).reshape(3, 3),
            t=numbers("t", 3) * _METRES,
            distortion=numbers("distCoef", 5),
        )


def _name(value: Any) -> str:
    """Return a folder's name, and nothing that leads to another place."""
    name = str(value)
    if Path(name).name != name or name in {"", ".", ".."}:
        raise TypeError(f"{name!r} is no name of a folder")
    return name


def _by_camera(values: Any) -> Iterator[tuple[int, Any]]:
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    return ((int(camera), flags) for camera, flags in pairs)
