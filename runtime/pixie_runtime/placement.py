"""Where a posed body stands before the camera: its translation out of 2D landmarks.

A posed body says where its joints are about the pelvis, the picture says in which
direction each of them is seen; the translation that brings the two together is a small
linear problem, solved in closed form with full perspective.
"""

import numpy as np

from pixie_runtime.smplx import JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Camera, Float32, Float64, PersonLandmarks

_POSE_JOINTS = {
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
    23: "left_hip",
    24: "right_hip",
    25: "left_knee",
    26: "right_knee",
    27: "left_ankle",
    28: "right_ankle",
    2: "left_eye_smplhf",
    5: "right_eye_smplhf",
}
_POSE = np.array(list(_POSE_JOINTS))
_POSE_JOINT = np.array([JOINT_INDEX[name] for name in _POSE_JOINTS.values()])
_HAND = [i for i in range(21) if i not in {4, 8, 12, 16, 20}]
_EYE_CORNERS = ((263, 362), (33, 133))
_MIN_DEPTH_M = 0.2
_ROUNDS = 3


def _hand_joints(side: str) -> list[int]:
    fingers = ("thumb", "index", "middle", "ring", "pinky")
    names = [f"{side}_{finger}{bone}" for finger in fingers for bone in (1, 2, 3)]
    return [JOINT_INDEX[name] for name in (f"{side}_wrist", *names)]


_HAND_JOINTS = {"left": _hand_joints("left"), "right": _hand_joints("right")}


def translation(joints: Float32, landmarks: PersonLandmarks, camera: Camera) -> Float32:
    """Return what to add to `joints` so that they project onto the landmarks.

    Minimises the distances between joints and the landmarks' rays, weighted by
    visibility, with a few rounds that trust outliers less (Huber).

    Args:
        joints: (55, 3) posed joints about any origin, metres, camera axes.
        landmarks: what was seen; the pose where there is one, else hands and face.
        camera: the camera that saw it.

    Returns:
        (3,) metres, camera frame; the body is put in front of the camera.
    """
    joint, pixels, weight = _correspondences(landmarks)
    centre = np.asarray(camera.centre_px)
    rays = (pixels - centre) / camera.focal_px
    points = joints[joint].astype(np.float64)
    robust = np.ones_like(weight)
    t = np.array([0.0, 0.0, 3.0])
    for _ in range(_ROUNDS):
        t = _solve(points, rays, weight * robust)
        t[2] = max(t[2], _MIN_DEPTH_M - float(points[:, 2].min()))
        at = points + t
        gap = np.linalg.norm(at[:, :2] / at[:, 2:] - rays, axis=1)
        scale = max(float(np.median(gap)) * 1.5, 1e-6)
        robust = np.minimum(1.0, scale / np.maximum(gap, 1e-9))
    return t.astype(np.float32)


def _solve(points: Float64, rays: Float64, weight: Float64) -> Float64:
    """Solve (x + t_x) = u (z + t_z), (y + t_y) = v (z + t_z) for t by least squares."""
    u, v = rays[:, 0], rays[:, 1]
    zero, one = np.zeros_like(u), np.ones_like(u)
    A = np.concatenate([np.stack([one, zero, -u], 1), np.stack([zero, one, -v], 1)])
    b = np.concatenate(
        [u * points[:, 2] - points[:, 0], v * points[:, 2] - points[:, 1]]
    )
    w = np.concatenate([weight, weight])
    normal = (A * w[:, None]).T @ A + 1e-9 * np.eye(3)
    return np.asarray(np.linalg.solve(normal, (A * w[:, None]).T @ b), np.float64)


def _correspondences(
    landmarks: PersonLandmarks,
) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", Float64, Float64]:
    """Return joint numbers (N,), pixels (N, 2) and weights (N,) of what was seen."""
    if landmarks.pose is not None:
        weight = np.square(landmarks.pose.visibility[_POSE].astype(np.float64)) + 0.01
        return _POSE_JOINT, landmarks.pose.image[_POSE, :2].astype(np.float64), weight
    joints: list[int] = []
    pixels = []
    for hand, side in ((landmarks.left_hand, "left"), (landmarks.right_hand, "right")):
        if hand is not None:
            joints += _HAND_JOINTS[side]
            pixels.append(hand.image[_HAND, :2])
    if landmarks.face is not None:
        joints += [LEFT_EYE, RIGHT_EYE]
        eyes = [landmarks.face.image[list(corners), :2] for corners in _EYE_CORNERS]
        pixels.append(np.stack([eye.mean(0) for eye in eyes]))
    places = np.concatenate(pixels).astype(np.float64)
    return np.array(joints), places, np.ones(len(joints))
