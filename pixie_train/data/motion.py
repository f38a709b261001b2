"""Real motion to pose synthetic people with: DeepMimic's clips, as SMPL-X rotations.

The clips come with the PyPI package `pybullet` (DeepMimic, Peng et al. 2018): 44
numbers a frame, quaternions wxyz and hinge angles, axes x forward, y up, z right.
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.errors import MissingExtraError
from pixie_runtime.smplx import JOINT_INDEX

Float64 = npt.NDArray[np.float64]

_BODY = 22
_AXES = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], float)
"""DeepMimic's axes to SMPL-X's: left = -z, up = y, forward = x."""
_ARMS_DOWN = np.radians(84)
"""DeepMimic's rest pose has the arms down, SMPL-X's has them out."""
_ORDER = (
    "chest",
    "neck",
    "right_hip",
    "right_knee",
    "right_ankle",
    "right_shoulder",
    "right_elbow",
    "left_hip",
    "left_knee",
    "left_ankle",
    "left_shoulder",
    "left_elbow",
)
_HINGES = {"right_knee", "right_elbow", "left_knee", "left_elbow"}


@dataclass(frozen=True, eq=False)
class MotionBank:
    """Poses of real motion."""

    body: Float64
    """(N, 22, 3, 3) rotations of joints 0..21, row 0 in a y-up world."""
    origin: str = ""
    """What tells it from DeepMimic's clips; nothing for those."""


def load_motion_bank() -> MotionBank:
    """Read every humanoid clip of the installed `pybullet` package."""
    spec = find_spec("pybullet_data")
    if spec is None or spec.origin is None:
        raise MissingExtraError("training data from DeepMimic's motion clips", "train")
    folder = Path(spec.origin).parent / "data" / "motions"
    clips = [read_clip(path) for path in sorted(folder.glob("humanoid3d_*.txt"))]
    return MotionBank(np.concatenate(clips))


def read_clip(path: Path) -> Float64:
    """Read one DeepMimic clip as SMPL-X rotations (N, 22, 3, 3)."""
    frames = np.asarray(json.loads(path.read_text())["Frames"], float)
    joints = _named_rotations(frames)
    R = np.broadcast_to(np.eye(3), (len(frames), _BODY, 3, 3)).copy()

    def put(name: str, rotation: Float64) -> None:
        R[:, JOINT_INDEX[name]] = rotation

    put("pelvis", joints["root"])
    for name in ("spine1", "spine2", "spine3"):
        put(name, _fraction(joints["chest"], 1 / 3))
    for name in ("neck", "head"):
        put(name, _fraction(joints["neck"], 1 / 2))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for joint in ("hip", "knee", "ankle"):
            put(f"{side}_{joint}", joints[f"{side}_{joint}"])
        down = _about((0, 0, sign * _ARMS_DOWN))
        put(f"{side}_shoulder", joints[f"{side}_shoulder"] @ down)
        put(f"{side}_elbow", down.T @ joints[f"{side}_elbow"] @ down)
    return R


def _named_rotations(frames: Float64) -> dict[str, Float64]:
    """Split frames (N, 44) into rotations (N, 3, 3) in SMPL-X axes, by joint."""
    named = {"root": _quaternion(frames[:, 4:8])}
    column = 8
    for name in _ORDER:
        if name in _HINGES:
            zero = np.zeros_like(frames[:, column])
            axis_angle = np.stack([zero, zero, frames[:, column]], axis=-1)
            named[name] = _to_axes(
                rotations.to_matrix(rotations.from_rotvec(axis_angle))
            )
            column += 1
        else:
            named[name] = _quaternion(frames[:, column : column + 4])
            column += 4
    return named


def _quaternion(wxyz: Float64) -> Float64:
    return _to_axes(rotations.to_matrix(rotations.normalise(wxyz)))


def _to_axes(R: npt.NDArray[np.floating[Any]]) -> Float64:
    return np.asarray(_AXES @ R @ _AXES.T, np.float64)


def _about(rotvec: tuple[float, float, float]) -> Float64:
    return np.asarray(
        rotations.to_matrix(rotations.from_rotvec(np.array(rotvec))), np.float64
    )


def _fraction(R: Float64, part: float) -> Float64:
    """Return the rotation that goes `part` of the way of R, (N, 3, 3)."""
    rotvec = rotations.to_rotvec(rotations.from_matrix(R)) * part
    return np.asarray(rotations.to_matrix(rotations.from_rotvec(rotvec)), np.float64)
