"""Pose correctives of body and fingers: what delta mush would do, as SMPL-X posedirs.

Delta mush (Mancewicz et al. 2014) smooths the skinned mesh and puts the detail of the
rest mesh back in each vertex's own turned frame, which keeps elbows and knees round.
Per joint a ridge regression on its nine pose features imitates it.
"""

import numpy as np

from pixie_runtime.smplx import JOINT_INDEX, JOINT_NAMES
from tools.bake_body import skinning
from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import MIRROR_X, matrix_of, nearest_rotation
from tools.bake_body.skinning import Rig
from tools.bake_body.topology import Topology

_RANGES_DEG = {
    "hip": (45, 25, 25),
    "knee": (50, 8, 8),
    "ankle": (20, 15, 10),
    "foot": (15, 3, 3),
    "spine": (15, 12, 12),
    "neck": (18, 22, 14),
    "head": (15, 18, 12),
    "collar": (10, 12, 12),
    "shoulder": (40, 40, 45),
    "elbow": (25, 55, 25),
    "wrist": (28, 25, 35),
    "finger": (12, 18, 45),
}
"""Standard deviations of the rotations tried, about x, y and z."""

_POSES = 18
_PASSES = 14
_STRENGTH = 0.6
_RIDGE = 0.03
_LARGEST = 0.035
_DEAD_ZONE = (0.0004, 0.0012)
"""Metres: what a vertex must move in some pose to be kept, and to be kept whole."""

MIRROR_FEATURES = np.array([1, -1, -1, -1, 1, 1, -1, 1, 1])
"""Signs of the features of a mirrored rotation."""


def add_body_correctives(
    posedirs: Float, rig: Rig, topology: Topology, mirror_joints: Int
) -> None:
    """Add the correctives of every joint but jaw and eyes to posedirs (486, V, 3)."""
    rng = np.random.default_rng(2)
    smooth_rest = topology.smoothed(rig.rest, _PASSES, _STRENGTH)
    detail = rig.rest - smooth_rest
    for name in JOINT_NAMES[1:]:
        joint = JOINT_INDEX[name]
        if name == "jaw" or "eye" in name or name.startswith("right"):
            continue
        fitted = _fit_joint(rng, rig, topology, joint, detail)
        posedirs[skinning.feature_rows(joint)] += fitted
        if name.startswith("left"):
            mirrored = fitted[:, topology.mirror] * MIRROR_X
            rows = skinning.feature_rows(int(mirror_joints[joint]))
            posedirs[rows] += mirrored * MIRROR_FEATURES[:, None, None]


def _fit_joint(
    rng: np.random.Generator, rig: Rig, topology: Topology, joint: int, detail: Float
) -> Float:
    """Return the correctives (9, V, 3) of one joint."""
    offsets, features = [], []
    for _ in range(_POSES):
        R = matrix_of(_rotation_vector(rng, JOINT_NAMES[joint]))
        wanted = rig.rest_offsets(
            _delta_mush(rig, topology, {joint: R}, detail), {joint: R}
        )
        length = np.linalg.norm(wanted, axis=1, keepdims=True)
        wanted *= np.minimum(1.0, _LARGEST / np.maximum(length, 1e-9))
        wanted[~topology.body] = 0.0
        offsets.append(wanted)
        features.append(skinning.features(R))
    F, D = np.stack(features), np.stack(offsets)
    solved = np.linalg.solve(
        F.T @ F + _RIDGE * np.eye(skinning.FEATURES), F.T @ D.reshape(len(D), -1)
    )
    largest = np.linalg.norm(D, axis=2).max(0)
    low, high = _DEAD_ZONE
    kept = np.clip((largest - low) / (high - low), 0, 1)
    return np.asarray(solved.reshape(-1, *detail.shape) * kept[:, None])


def _delta_mush(
    rig: Rig, topology: Topology, pose: dict[int, Float], detail: Float
) -> Float:
    A, t = rig.transforms(pose)
    skinned = np.einsum("vab,vb->va", A, rig.rest) + t
    R = nearest_rotation(topology.smoothed(A, _PASSES, _STRENGTH))
    smooth = topology.smoothed(skinned, _PASSES, _STRENGTH)
    return np.asarray(smooth + np.einsum("vab,vb->va", R, detail))


def _rotation_vector(rng: np.random.Generator, name: str) -> Float:
    """Draw a rotation within the joint's habits: knees, elbows and fingers flex."""
    part = name.removeprefix("left_").rstrip("123")
    w = np.radians(rng.normal(0, 1, 3) * _RANGES_DEG.get(part, _RANGES_DEG["finger"]))
    if part == "knee":
        w[0] = 1.2 * abs(w[0])
    elif part == "elbow":
        w[1] = -1.2 * abs(w[1])
    elif part not in _RANGES_DEG:
        w[2] = -abs(w[2])
    return np.asarray(w * min(1.0, np.radians(105) / np.linalg.norm(w)))
