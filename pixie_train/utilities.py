"""What the release's utilities folder says about key points.

Two files of that download concern the network: smplx_extra_joints.yaml, 22 points of
the surface, and SMPLX_to_J14.pkl, 14 joints regressed from it. Both are optional: what
is lost without them is said in a sentence each.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_runtime.types import Float32
from pixie_train.array_pickle import read_array
from pixie_train.extra_points import extra_points
from pixie_train.key_points import (
    EXTRA_POINT_NAMES,
    REGRESSED_JOINTS,
    KeyPointTables,
    SurfacePoints,
)

EXTRA_POINTS_FILE = "smplx_extra_joints.yaml"
REGRESSOR_FILE = "SMPLX_to_J14.pkl"

_LARGEST_YAML = 1 << 16

_WITHOUT_EXTRA_POINTS = (
    f"without {EXTRA_POINTS_FILE} finger tips, toes, heels, ears, eyes and nose are "
    "taken from the body model's own shape, so that hand crops differ by some pixels "
    "from the official ones"
)
_WITHOUT_REGRESSOR = (
    f"without {REGRESSOR_FILE} 14 of the key points (hips, knees, ankles, shoulders, "
    "elbows, wrists, neck, head) are the skeleton's own joints, so that they and the "
    "hand crops differ by some pixels from the official ones"
)


def read_utilities(
    folder: Path | None, model: BodyModel
) -> tuple[KeyPointTables, tuple[str, ...]]:
    """Read where `model` has its key points.

    Args:
        folder: the unpacked utilities.zip, or any folder with its files; None: none.
        model: the body that the files speak of.

    Returns:
        The tables, and one sentence for each thing that is lost or out of the ordinary.

    Raises:
        ModelFileError: there is no such folder, a file in it is damaged or made for
            another body, or the model has no face landmarks.
    """
    if folder is not None and not folder.is_dir():
        raise ModelFileError(
            f"{folder} is not a folder; expected the unpacked utilities with "
            f"{EXTRA_POINTS_FILE} and {REGRESSOR_FILE}"
        )
    static, contour = _landmarks(model)
    extra, notes = _extra(_present(folder, EXTRA_POINTS_FILE), model, static)
    path = _present(folder, REGRESSOR_FILE)
    if path is None:
        regressor = np.zeros((0, model.vertex_count), np.float32)
        notes = (*notes, _WITHOUT_REGRESSOR)
    else:
        regressor = _read_regressor(path, model)
    joints = np.array(REGRESSED_JOINTS[: len(regressor)], np.int64)
    return KeyPointTables(static, contour, extra, regressor, joints), notes


def _present(folder: Path | None, name: str) -> Path | None:
    path = None if folder is None else folder / name
    return path if path is not None and path.exists() else None


def _landmarks(model: BodyModel) -> tuple[SurfacePoints, SurfacePoints]:
    if (
        model.lmk_faces_idx is None
        or model.lmk_bary_coords is None
        or model.dynamic_lmk_faces_idx is None
        or model.dynamic_lmk_bary_coords is None
    ):
        raise ModelFileError(
            f"the body model {model.name} has no face landmarks (lmk_faces_idx and "
            "dynamic_lmk_faces_idx), which place the head's crop; use an unchanged "
            "SMPLX_NEUTRAL_2020.npz"
        )
    return (
        SurfacePoints.on_faces(model, model.lmk_faces_idx, model.lmk_bary_coords),
        SurfacePoints.on_faces(
            model, model.dynamic_lmk_faces_idx, model.dynamic_lmk_bary_coords
        ),
    )


def _extra(
    path: Path | None, model: BodyModel, static: SurfacePoints
) -> tuple[SurfacePoints, tuple[str, ...]]:
    if path is None:
        return extra_points(model, static), (_WITHOUT_EXTRA_POINTS,)
    entries = _read_yaml(path)
    if not isinstance(entries, dict) or len(entries) != len(EXTRA_POINT_NAMES):
        count = len(entries) if isinstance(entries, dict) else "no"
        raise ModelFileError(
            f"{path} has {count} named points; expected the {len(EXTRA_POINT_NAMES)} "
            "of the official utilities, so get a fresh copy"
        )
    points = [_on_face(path, name, entry, model) for name, entry in entries.items()]
    faces, bary_coords = zip(*points, strict=True)
    found = SurfacePoints.on_faces(
        model, np.array(faces), np.array(bary_coords, np.float32)
    )
    if [str(name) for name in entries] == list(EXTRA_POINT_NAMES):
        return found, ()
    names = ", ".join(map(str, entries))
    note = (
        f"{path.name} does not name its points as expected ({names}); they are taken "
        "in the file's order, as the official code does"
    )
    return found, (note,)


def _read_yaml(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_YAML + 1)
        if len(text) > _LARGEST_YAML:
            raise ModelFileError(
                f"{path} is larger than {_LARGEST_YAML} bytes; expected the official "
                "file of about one thousand, so get a fresh copy"
            )
        return yaml.safe_load(text)
    except OSError as error:
        raise ModelFileError(
            f"cannot open {path}: {error.strerror or error}"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ModelFileError(
            f"{path} is not YAML ({reason}); get a fresh copy"
        ) from error


def _on_face(
    path: Path, name: object, entry: Any, model: BodyModel
) -> tuple[int, list[float]]:
    """Return triangle and barycentrics of one entry of the file."""
    try:
        face = int(entry["face"])
        # YAML reads 1e-05, which has no point, as text.
        bary_coords = [float(x) for x in entry["bc"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f'"{name}" of {path} does not have a triangle "face" and three weights '
            '"bc"; get a fresh copy'
        ) from error
    if len(bary_coords) != 3 or not abs(math.fsum(bary_coords) - 1) < 0.01:
        raise ModelFileError(
            f'"{name}" of {path} has the weights {bary_coords}; expected three that '
            "add up to 1, so get a fresh copy"
        )
    if not 0 <= face < len(model.faces):
        raise ModelFileError(
            f'"{name}" of {path} lies on triangle {face}, but the body model '
            f"{model.name} has {len(model.faces)}; use the two files of one download"
        )
    return face, bary_coords


def _read_regressor(path: Path, model: BodyModel) -> Float32:
    array = read_array(path)
    expected = (len(REGRESSED_JOINTS), model.vertex_count)
    if array.dtype.kind != "f" or array.shape != expected:
        raise ModelFileError(
            f"{path} holds {array.dtype} of shape {array.shape}, but 14 joints of the "
            f"body model {model.name} with {model.vertex_count} vertices take real "
            f"numbers of shape {expected}; use the files of one download"
        )
    if not np.isfinite(array).all():
        raise ModelFileError(
            f"{path} holds values that are not finite numbers; get a fresh copy"
        )
    return np.ascontiguousarray(array, np.float32)
