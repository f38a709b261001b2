"""BEDLAM (Black et al., CVPR 2023): rendered people with SMPL-X, several a picture.

    FOLDER/labels/SCENE.npz     imgname (N,), pose_cam (N, 165), shape (N, 10 or 11),
                                center (N, 2), scale (N,), gtkps (N, P, 2 or 3),
                                and, if there is one, cam_int (N, 3, 3)
    FOLDER/images/SCENE/IMGNAME

Source: the data set's page and the repository's issues (pixelite1201/BEDLAM#43): labels
as prepared for training on crops. Inferred: poses are in the order of SMPL-X's full
pose, the root in camera axes with y down; `scale` times 200 is the box's side; the
first 55 points are SMPL-X's joints in pixels; `cam_int` maps camera axes to pixels of
the whole picture. Scenes of "closeup" cameras store
pictures turned by 90 degrees and are refused rather than guessed.
"""

from pathlib import Path

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Camera
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import damaged, required
from pixie_train.data.array_archives import AnyArray, read_archive
from pixie_train.data.body_layouts import FULL_POSE, turns_of
from pixie_train.data.inside import inside
from pixie_train.data.record import Fit, Points, Record
from pixie_train.pinhole import camera_of_matrix

_NAME = "BEDLAM"
_GET = "download labels and pictures from bedlam.is.tue.mpg.de and unpack them there"
_CAMERA = "cam_int"
_SHAPES: dict[str, tuple[int | None, ...] | None] = {
    "imgname": (),
    "pose_cam": (JOINT_COUNT * 3,),
    "shape": (None,),
    "center": (2,),
    "scale": (),
    "gtkps": (None, None),
    _CAMERA: (3, 3),
}


class Bedlam:
    """BEDLAM's people as records."""

    def __init__(self, folder: Path) -> None:
        """Read the labels of all scenes.

        Raises:
            SourceError: the download is incomplete or damaged.
        """
        paths = sorted(required(folder / "labels", _NAME, _GET).glob("*.npz"))
        if not paths:
            raise SourceError(
                f"{_NAME} is incomplete: {folder / 'labels'} holds no .npz; {_GET}"
            )
        turned = [path.name for path in paths if "closeup" in path.name]
        if turned:
            raise SourceError(
                f"{turned[0]} in {folder / 'labels'} is of a camera whose pictures lie "
                "on their side, which is not read; move its file elsewhere"
            )
        self._images = required(folder / "images", _NAME, _GET)
        self._scenes = {path.stem: _scene(path) for path in paths}
        self._places = [
            (scene, row)
            for scene, arrays in self._scenes.items()
            for row in range(len(arrays["scale"]))
        ]

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self._places)

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        scene, row = self._places[index]
        found: dict[str, AnyArray] = {
            name: array[row] for name, array in self._scenes[scene].items()
        }
        half = float(found["scale"]) * 100
        middle = np.asarray(found["center"], np.float32)
        return Record(
            f"bedlam/{scene}/{row}",
            inside(self._images / scene, str(found["imgname"]), _NAME),
            CropKind.BODY,
            pixels=Points.of(range(JOINT_COUNT), found["gtkps"][:JOINT_COUNT, :2]),
            skeleton=True,
            rotations=turns_of(FULL_POSE, found["pose_cam"]),
            fit=Fit(np.asarray(found["shape"], np.float32)[:10]),
            camera=_camera(found, f"bedlam/{scene}/{row}"),
            box=np.concatenate([middle - half, middle + half]),
        )


def _scene(path: Path) -> dict[str, AnyArray]:
    arrays = read_archive(path, _SHAPES, _NAME, _GET, maybe=[_CAMERA])
    points = arrays["gtkps"].shape
    if points[1] < JOINT_COUNT or points[2] < 2:
        reason = f'"gtkps" has shape {points}, expected {JOINT_COUNT} points or more'
        raise damaged(path, _NAME, reason, _GET)
    return arrays


def _camera(found: dict[str, AnyArray], name: str) -> Camera | None:
    """Return the camera of a person's picture, None where the labels have none."""
    if _CAMERA not in found:
        return None
    K = np.asarray(found[_CAMERA], np.float64)
    if not np.isfinite(K).all() or K[0, 0] + K[1, 1] <= 0:
        raise SourceError(
            f"{name} has focal lengths of {K[0, 0]:g} and {K[1, 1]:g} pixels in "
            f"{_CAMERA}; expected more than 0; {_GET}"
        )
    return camera_of_matrix(K)
