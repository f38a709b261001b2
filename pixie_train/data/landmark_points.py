"""Where MediaPipe's landmarks lie on the body model.

A pose or hand landmark is a point fixed to one joint; the face's are points of the
surface (`pixie_train.body_model.FacePoints`). Everything is found on the model itself,
so that any file in SMPL-X's layout with a face embedding will do.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pixie_runtime import body_points
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32

# MediaPipe face mesh points that pose landmarks 0 to 10 name.
_FACE_OF_POSE = {0: 4, 1: 362, 2: 386, 3: 263, 4: 133, 5: 159, 6: 33, 9: 291, 10: 61}
_EAR_OF_POSE = {7: 454, 8: 234}
_EAR_OFFSET = (0.012, 0.0, -0.025)
"""From the mesh's outermost cheek point to the left ear's opening, metres."""
_JOINT_OF_POSE = {
    11: "left_shoulder",
    12: "right_shoulder",
    13: "left_elbow",
    14: "right_elbow",
    15: "left_wrist",
    16: "right_wrist",
    17: "left_pinky1",
    18: "right_pinky1",
    19: "left_index1",
    20: "right_index1",
    21: "left_thumb2",
    22: "right_thumb2",
    23: "left_hip",
    24: "right_hip",
    25: "left_knee",
    26: "right_knee",
    27: "left_ankle",
    28: "right_ankle",
}
_HAND_FINGERS = ("thumb", "index", "middle", "ring", "pinky")


@dataclass(frozen=True, eq=False)
class LandmarkPoints:
    """Points that ride on joints."""

    joint: Tensor
    """Joint numbers, (P,)."""
    offset: Tensor
    """Rest offsets from those joints, (P, 3), metres."""


def joint_points(model: BodyModel) -> LandmarkPoints:
    """Return first guesses of the 33 pose landmarks by what they are called."""
    joints, places = np.zeros(33, np.int64), np.zeros((33, 3), np.float32)
    head = JOINT_INDEX["head"]
    for landmark, mesh_point in (_FACE_OF_POSE | _EAR_OF_POSE).items():
        joints[landmark], places[landmark] = head, face_point(model, mesh_point)
    for landmark, sign in ((7, 1), (8, -1)):
        places[landmark] += np.array(_EAR_OFFSET) * (sign, 1, 1)
    for landmark, name in _JOINT_OF_POSE.items():
        joints[landmark] = JOINT_INDEX[name]
        places[landmark] = model.J_template[joints[landmark]]
    for side, first in (("left", 29), ("right", 30)):
        ankle, foot = JOINT_INDEX[f"{side}_ankle"], JOINT_INDEX[f"{side}_foot"]
        joints[first], joints[first + 2] = ankle, foot
        places[first] = _extreme(model, ankle, (0, -0.6, -1))
        places[first + 2] = _extreme(model, foot, (0, 0, 1))
    return _riding(model, joints, places)


def pose_points() -> LandmarkPoints:
    """Return the 33 pose landmarks where MediaPipe sees them on the body."""
    points = body_points.pose_points()
    return LandmarkPoints(
        torch.from_numpy(points.joint.copy()), torch.from_numpy(points.offset.copy())
    )


def hand_points(model: BodyModel, side: str) -> LandmarkPoints:
    """Return one hand's 21 landmarks: wrist, then thumb to little finger, tip last."""
    joints = [JOINT_INDEX[f"{side}_wrist"]]
    places = [model.J_template[joints[0]]]
    for finger in _HAND_FINGERS:
        bones = [JOINT_INDEX[f"{side}_{finger}{bone}"] for bone in (1, 2, 3)]
        joints += [*bones, bones[2]]
        along = model.J_template[bones[2]] - model.J_template[bones[1]]
        places += [*model.J_template[bones], _extreme(model, bones[2], tuple(along))]
    return _riding(model, np.array(joints), np.array(places, np.float32))


def face_point(model: BodyModel, mesh_point: int) -> Float32:
    """Return a face mesh point at rest, (3,), metres, body frame."""
    if model.mediapipe468_faces_idx is None or model.mediapipe468_bary_coords is None:
        raise ValueError(f"{model.name} has no embedding of MediaPipe's face mesh")
    corners = model.faces[model.mediapipe468_faces_idx[mesh_point]]
    weights = model.mediapipe468_bary_coords[mesh_point]
    return np.asarray(weights @ model.v_template[corners], np.float32)


def _extreme(model: BodyModel, joint: int, direction: tuple[float, ...]) -> Float32:
    """Return the vertex of a joint's part that lies farthest along `direction`."""
    vertices = model.v_template[model.part == joint]
    return np.asarray(vertices[np.argmax(vertices @ np.array(direction))], np.float32)


def _riding(
    model: BodyModel,
    joints: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    places: Float32,
) -> LandmarkPoints:
    offset = places - model.J_template[joints]
    return LandmarkPoints(torch.from_numpy(joints), torch.from_numpy(offset).float())
