"""Linear blend skinning of the body being baked, and its inverse."""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from tools.bake_body.arrays import Float

FEATURES = 9
"""Pose features of a joint: the entries of R - 1, row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """Rest vertices (V, 3), joints (55, 3) and weights (V, 55)."""

    rest: Float
    joints: Float
    weights: Float

    def transforms(self, pose: dict[int, Float]) -> tuple[Float, Float]:
        """Return each vertex's linear map (V, 3, 3) and shift (V, 3) under a pose.

        `pose` maps joints to rotation matrices (3, 3); the others stay at rest.
        """
        R = np.tile(np.eye(3), (JOINT_COUNT, 1, 1))
        t = np.zeros((JOINT_COUNT, 3))
        for joint, parent in enumerate(PARENTS):
            local = pose.get(joint, np.eye(3))
            if parent < 0:
                R[joint], t[joint] = local, self.joints[joint]
            else:
                R[joint] = R[parent] @ local
                offset = self.joints[joint] - self.joints[parent]
                t[joint] = R[parent] @ offset + t[parent]
        shift = t - np.einsum("jab,jb->ja", R, self.joints)
        return np.einsum("vj,jab->vab", self.weights, R), self.weights @ shift

    def posed(self, pose: dict[int, Float]) -> Float:
        """Return the posed vertices (V, 3)."""
        A, t = self.transforms(pose)
        return np.asarray(np.einsum("vab,vb->va", A, self.rest) + t)

    def rest_offsets(self, goal: Float, pose: dict[int, Float]) -> Float:
        """Return the offsets (V, 3) at rest that make the posed mesh equal `goal`."""
        A, t = self.transforms(pose)
        back = np.linalg.solve(A + 1e-6 * np.eye(3), (goal - t)[..., None])
        return np.asarray(back[..., 0] - self.rest)


def features(R: Float) -> Float:
    """Return the pose features (9,) of one joint's rotation (3, 3)."""
    return np.asarray((R - np.eye(3)).ravel())


def feature_rows(joint: int) -> slice:
    """Return where `joint` (not the pelvis) has its rows in posedirs (486, V, 3)."""
    return slice((joint - 1) * FEATURES, joint * FEATURES)
