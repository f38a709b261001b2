"""COCO-WholeBody with SMPL-X fits: people in everyday pictures.

    FOLDER/annotations/coco_wholebody_train_v1.0.json
    FOLDER/annotations/MSCOCO_train_SMPLX_all_NeuralAnnot.json   (or without "_all")
    FOLDER/train2017/000000000001.jpg

Sources: COCO-WholeBody's format document (17 key points, 6 of the feet, 68 of the face,
21 of each hand, each x, y, confidence; `*_valid`), NeuralAnnot's description of its
fits (mks0601/NeuralAnnot_RELEASE): by annotation id `smplx_param` with `root_pose`,
`body_pose` 63, `lhand_pose` and `rhand_pose` 45, `jaw_pose`, `shape` 10, `expr` 10, and
`cam_param` with `focal` and `princpt`, pixels along two axes. Fits were made with the
smplx package's `use_pca=False, flat_hand_mean=False`: hands are counted from the mean
hands of SMPL-X's file (`Fit.fingers`). Where a fit does not say whether hands and face
are valid (`lhand_valid`, `rhand_valid`, `face_valid`), the annotation's flags count, as
public readers have it. Inferred: the root is in camera axes with y down. Fits of the
paper itself were never published; betas are SMPL-X's neutral ones.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.types import Camera, Float32
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import damaged, first_of, read_json, required
from pixie_train.data.body_layouts import (
    BODY_POSE,
    COCO_17,
    FACE_68,
    FEET_6,
    JAW_POSE,
    ROOT_POSE,
    joined,
    turns_of,
)
from pixie_train.data.hand_layouts import LEFT_21, RIGHT_21
from pixie_train.data.inside import inside
from pixie_train.data.record import Fit, Points, Record, Turns
from pixie_train.pinhole import camera_of_matrix

_NAME = "COCO-WholeBody"
_GET = (
    "put COCO's train2017, COCO-WholeBody's annotations and NeuralAnnot's SMPL-X fits "
    "there"
)
_GROUPS = (
    ("keypoints", COCO_17, None),
    ("foot_kpts", FEET_6, "foot_valid"),
    ("face_kpts", FACE_68, "face_valid"),
    ("lefthand_kpts", LEFT_21, "lefthand_valid"),
    ("righthand_kpts", RIGHT_21, "righthand_valid"),
)
_VALID = {
    "lhand_valid": "lefthand_valid",
    "rhand_valid": "righthand_valid",
    "face_valid": "face_valid",
}
"""A fit's flags, and the annotation's of the same."""
_LARGEST_CONFIDENCE = 2
"""COCO's own points say 1 for hidden, 2 for visible; the others say 0 to 1."""


class CocoWholeBody:
    """People that have a fit, as records."""

    def __init__(self, folder: Path) -> None:
        """Read the annotations.

        Raises:
            SourceError: the download is incomplete or damaged.
        """
        annotations = folder / "annotations"
        self._path = annotations / "coco_wholebody_train_v1.0.json"
        fits = first_of(
            [
                annotations / f"MSCOCO_train_SMPLX{all_}_NeuralAnnot.json"
                for all_ in ("_all", "")
            ],
            _NAME,
            _GET,
        )
        self._images = required(folder / "train2017", _NAME, _GET)
        content = read_json(self._path, _NAME, _GET)
        self._fits = read_json(fits, _NAME, _GET)
        try:
            self._files = {p["id"]: str(p["file_name"]) for p in content["images"]}
            self._people = [
                person
                for person in content["annotations"]
                if str(person["id"]) in self._fits and person["image_id"] in self._files
            ]
        except (KeyError, TypeError) as error:
            raise damaged(self._path, _NAME, f"it lacks {error}", _GET) from error
        if not self._people:
            raise damaged(fits, _NAME, "nobody in the annotations has a fit", _GET)

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self._people)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        person = self._people[index]
        try:
            found = self._fits[str(person["id"])]
            fit = _with_flags(found["smplx_param"], person)
            x, y, width, height = (float(value) for value in person["bbox"])
            return Record(
                f"coco-wholebody/{person['id']}",
                inside(self._images, self._files[person["image_id"]], _NAME),
                CropKind.BODY,
                pixels=_points(person),
                rotations=_rotations(fit),
                fit=Fit(
                    np.asarray(fit["shape"], np.float32),
                    _expression(fit),
                    _fingers(fit),
                ),
                camera=_camera(found.get("cam_param")),
                box=np.array([x, y, x + width, y + height], np.float32),
            )
        except (KeyError, TypeError, ValueError) as error:
            reason = f"person {person['id']} lacks {error}"
            raise damaged(self._path, _NAME, reason, _GET) from error


def _points(person: dict[str, Any]) -> Points:
    points = Points.unknown(2)
    for name, places, valid in reversed(_GROUPS):
        if valid is not None and not person.get(valid, False):
            continue
        given = np.asarray(person[name], np.float32).reshape(len(places), 3)
        sure = given[:, 2]
        if name == "keypoints":
            sure = np.asarray(sure / _LARGEST_CONFIDENCE, np.float32)
        where = list(places)
        # The body's own points come last: its wrists stay, if it has them.
        kept = sure > 0
        points.at[np.array(where)[kept]] = given[kept, :2]
        points.confidence[np.array(where)[kept]] = np.clip(sure[kept], 0, 1)
    return points


def _with_flags(fit: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
    """Return a fit that says which parts are valid, if need be as the person does."""
    return {ours: person.get(theirs, False) for ours, theirs in _VALID.items()} | fit


def _rotations(fit: dict[str, Any]) -> Turns:
    some = [
        turns_of(ROOT_POSE, fit["root_pose"]),
        turns_of(BODY_POSE, fit["body_pose"]),
    ]
    if fit["face_valid"]:
        some.append(turns_of(JAW_POSE, fit["jaw_pose"]))
    return joined(*some)


def _fingers(fit: dict[str, Any]) -> Float32:
    """Return axis-angles (30, 3), not a number for hands that are not valid."""
    fingers = np.full((2, 15, 3), np.nan, np.float32)
    for side, name in enumerate(("lhand", "rhand")):
        if fit[f"{name}_valid"]:
            fingers[side] = np.asarray(fit[f"{name}_pose"], np.float32).reshape(15, 3)
    return fingers.reshape(30, 3)


def _expression(fit: dict[str, Any]) -> Float32:
    count = len(fit["expr"]) if fit["face_valid"] else 0
    return np.asarray(fit["expr"], np.float32)[:count]


def _camera(found: dict[str, Any] | None) -> Camera | None:
    """Return the camera that a fit was made for; None: it does not say."""
    if found is None:
        return None
    focal = np.asarray(found["focal"], np.float64).reshape(2)
    x, y = np.asarray(found["princpt"], np.float64).reshape(2)
    if not np.isfinite([*focal, x, y]).all() or (focal <= 0).any():
        raise ValueError(f"a camera: its focal lengths are {focal.tolist()}")
    return camera_of_matrix(np.array([[focal[0], 0, x], [0, focal[1], y], [0, 0, 1]]))
