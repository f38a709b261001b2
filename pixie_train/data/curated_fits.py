"""ExPose's curated SMPL-X fits (Choutas et al., ECCV 2020): bodies in the wild.

    FOLDER/train.npz    img_fns (N,), betas (N, 10), expression (N, 10),
                        keypoints2D (N, P, 3), pose (N, 55, 3) or (N, 165)
    FOLDER/images/...   what img_fns names; other folders: `images`

Source: the data set's description on ExPose's download page and its issues
(vchoutas/expose#30, #39). Inferred: poses are in the order of SMPL-X's full pose, the
root as a camera with y down sees it; points are OpenPose's 25 of the body, 21 of the
left and of the right hand, and with P = 118 iBUG's 51 inner landmarks. Of other numbers
of points the face's are not known. Betas are SMPL-X's neutral ones.
"""

from pathlib import Path

import numpy as np

from pixie_runtime.smplx import JOINT_COUNT
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import damaged, required
from pixie_train.data.array_archives import AnyArray, read_archive
from pixie_train.data.body_layouts import (
    FACE_51,
    FULL_POSE,
    OPENPOSE_25,
    turns_of,
)
from pixie_train.data.hand_layouts import LEFT_21, RIGHT_21
from pixie_train.data.inside import inside
from pixie_train.data.record import Fit, Points, Record

_NAME = "ExPose's curated fits"
_GET = "download the curated fits from expose.is.tue.mpg.de and unpack them there"
_BODY_AND_HANDS = 25 + 21 + 21


class CuratedFits:
    """The fits as records."""

    def __init__(self, folder: Path, *, split: str = "train") -> None:
        """Read the annotations.

        Raises:
            SourceError: the download is incomplete or damaged.
        """
        path = folder / f"{split}.npz"
        self._images = folder / "images"
        required(path, _NAME, _GET)
        required(self._images, _NAME, "put the pictures that the fits are of there")
        shapes: dict[str, tuple[int | None, ...] | None] = {
            "img_fns": (),
            "betas": (None,),
            "expression": (None,),
            "keypoints2D": (None, 3),
            "pose": None,
        }
        self._arrays = read_archive(path, shapes, _NAME, _GET)
        pose = self._arrays.pop("pose")
        if pose.shape[1:] not in ((JOINT_COUNT, 3), (JOINT_COUNT * 3,)):
            reason = f'"pose" has shape {pose.shape}, expected 55 x 3 numbers each'
            raise damaged(path, _NAME, reason, _GET)
        self._pose = pose.reshape(len(pose), JOINT_COUNT, 3)
        self._split = split
        points = self._arrays["keypoints2D"].shape[1]
        if points < _BODY_AND_HANDS:
            reason = f'"keypoints2D" has {points} points, expected 67 or more'
            raise damaged(path, _NAME, reason, _GET)

    def __len__(self) -> int:
        """Return how many fits there are."""
        return len(self._pose)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        number = range(len(self))[index]
        row = {name: array[number] for name, array in self._arrays.items()}
        name = str(row["img_fns"])
        return Record(
            f"curated-fits/{self._split}/{number}",
            inside(self._images, name, _NAME),
            CropKind.BODY,
            pixels=_points(row["keypoints2D"]),
            rotations=turns_of(FULL_POSE, self._pose[number]),
            fit=Fit(
                np.asarray(row["betas"], np.float32),
                np.asarray(row["expression"], np.float32),
            ),
        )


def _points(given: AnyArray) -> Points:
    theirs = [place for place, _ in OPENPOSE_25]
    ours = [place for _, place in OPENPOSE_25]
    theirs += range(25, _BODY_AND_HANDS)
    # Hands' wrists come twice; the body's are those that OpenPose is surer of.
    ours += [*LEFT_21, *RIGHT_21]
    if len(given) == _BODY_AND_HANDS + len(FACE_51):
        theirs += range(_BODY_AND_HANDS, len(given))
        ours += FACE_51
    first = list(dict.fromkeys(ours))
    chosen = [theirs[ours.index(place)] for place in first]
    return Points.of(first, given[chosen, :2], given[chosen, 2])
