"""Where on the body landmarks lie: points that ride on SMPL-X joints.

A detector's "hip" or "ankle" is not SMPL-X's joint of that name; the offsets of the
pose landmarks were measured on pictures of the embedded body
(`tools/landmark_offsets.py`). Hand landmarks are taken to lie on their joints.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32

_HEAD = JOINT_INDEX["head"]
_SKULL = (33, 133, 263, 362, 168, 4, 10, 127, 356)
"""Face mesh points that move with the skull: eye corners, nose, forehead, temples."""
_KNUCKLES = {0: "wrist", 5: "index1", 9: "middle1", 17: "pinky1", 2: "thumb2"}


@dataclass(frozen=True, eq=False)
class BodyPoints:
    """Points fixed to joints."""

    landmark: npt.NDArray[np.intp]
    """Numbers of the landmarks, (P,)."""
    joint: npt.NDArray[np.intp]
    """The joints they ride on, (P,)."""
    offset: Float32
    """From the joint, in its rest axes, (P, 3), metres."""

    def place(self, transforms: Float32) -> Float32:
        """Return the points (P, 3) of a body with joints at `transforms` (55, 4, 4)."""
        T = transforms[self.joint]
        turned = np.einsum("pab,pb->pa", T[:, :3, :3], self.offset, optimize=False)
        return np.asarray(turned + T[:, :3, 3], np.float32)


@cache
def pose_points() -> BodyPoints:
    """Return the 33 landmarks of the pose."""
    text = (
        files("pixie_runtime").joinpath("assets/landmarks/body_points.json").read_text()
    )
    rows = json.loads(text)
    return BodyPoints(
        landmark=np.array([row["landmark"] for row in rows]),
        joint=np.array([row["joint"] for row in rows]),
        offset=np.array([row["offset_m"] for row in rows], np.float32),
    )


@cache
def skull_points(model: BodyModel) -> BodyPoints | None:
    """Return points of the face mesh that ride on the head joint of `model`.

    None where the model file does not say where the mesh's points lie.
    """
    if model.mediapipe468_faces_idx is None or model.mediapipe468_bary_coords is None:
        return None
    landmark = np.array(_SKULL)
    corners = model.v_template[model.faces[model.mediapipe468_faces_idx[landmark]]]
    weights = model.mediapipe468_bary_coords[landmark]
    places = np.einsum("pk,pkc->pc", weights, corners)
    return BodyPoints(
        landmark=landmark,
        joint=np.full(len(landmark), _HEAD),
        offset=np.asarray(places - model.J_template[_HEAD], np.float32),
    )


@cache
def face_points(model: BodyModel) -> BodyPoints | None:
    """Return the 68 face landmarks as points that ride on the head joint of `model`.

    The mean face with a closed mouth and the jaw line of a frontal view: right to a
    centimetre or two, and no vertex is posed for it. None where the model file does not
    say where the landmarks lie.
    """
    inner, inner_weights = model.lmk_faces_idx, model.lmk_bary_coords
    rows, row_weights = model.dynamic_lmk_faces_idx, model.dynamic_lmk_bary_coords
    if inner is None or inner_weights is None or rows is None or row_weights is None:
        return None
    corners = model.v_template[model.faces[np.concatenate([inner, rows[0]])]]
    weights = np.concatenate([inner_weights, row_weights[0]])
    places = np.einsum("pk,pkc->pc", weights, corners)
    return BodyPoints(
        landmark=np.arange(len(places)),
        joint=np.full(len(places), _HEAD),
        offset=np.asarray(places - model.J_template[_HEAD], np.float32),
    )


@cache
def eye_points() -> BodyPoints:
    """Return the face mesh's eye corners, taken to lie on the eyes' joints.

    For bodies that do not say where the face mesh lies.
    """
    corners = {33: RIGHT_EYE, 133: RIGHT_EYE, 263: LEFT_EYE, 362: LEFT_EYE}
    return BodyPoints(
        landmark=np.array(list(corners)),
        joint=np.array(list(corners.values())),
        offset=np.zeros((len(corners), 3), np.float32),
    )


@cache
def palm_points(side: str) -> BodyPoints:
    """Return the wrist and knuckles of the "left" or "right" hand's landmarks."""
    return BodyPoints(
        landmark=np.array(list(_KNUCKLES)),
        joint=np.array([JOINT_INDEX[f"{side}_{name}"] for name in _KNUCKLES.values()]),
        offset=np.zeros((len(_KNUCKLES), 3), np.float32),
    )
