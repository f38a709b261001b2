"""The space of body shapes: principal components of the sampled bodies.

Every body counts together with its mirror image, so that each component is either
symmetric or antisymmetric; the two families are found apart, which makes the mirror law
hold exactly. One unit of a coefficient is one standard deviation, as in SMPL-X.
"""

from dataclasses import dataclass

import numpy as np

from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import MIRROR_X
from tools.bake_body.samples import Samples


@dataclass(frozen=True, slots=True, eq=False)
class ShapeSpace:
    """Mean body and K components, in metres."""

    mean: Float
    """(V, 3)"""
    directions: Float
    """(K, V, 3)"""
    mean_joints: Float
    """(55, 3)"""
    joint_directions: Float
    """(K, 55, 3)"""
    explained: Float
    """(K,) share of the variance."""

    def betas_of(self, vertices: Float) -> Float:
        """Project bodies (M, V, 3) to coefficients (M, K)."""
        flat = self.directions.reshape(len(self.directions), -1).astype(np.float64)
        offsets = (vertices - self.mean).reshape(len(vertices), -1)
        return np.asarray(offsets @ flat.T / (flat**2).sum(1))


def fit(
    samples: Samples, mirror: Int, mirror_joints: Int, *, components: int
) -> ShapeSpace:
    """Find the mean and the `components` directions of largest variance."""
    mean = samples.vertices.mean(0, dtype=np.float64)
    mean = 0.5 * (mean + mean[mirror] * MIRROR_X)
    mean_joints = samples.joints.mean(0)
    mean_joints = 0.5 * (mean_joints + mean_joints[mirror_joints] * MIRROR_X)
    offsets = samples.vertices - mean.astype(np.float32)
    joint_offsets = samples.joints - mean_joints
    found: list[tuple[float, Float, Float]] = []
    total = 0.0
    for sign in (1.0, -1.0):
        half = np.float32(0.5) * (
            offsets
            + np.float32(sign) * offsets[:, mirror] * MIRROR_X.astype(np.float32)
        )
        half_joints = 0.5 * (
            joint_offsets + sign * joint_offsets[:, mirror_joints] * MIRROR_X
        )
        variance, vectors = _gram_components(half, components)
        total += float(np.square(half, dtype=np.float64).sum()) / len(half)
        mix = (vectors.T / np.sqrt(len(half))).astype(np.float32)
        directions = (mix @ half.reshape(len(half), -1)).reshape(-1, *mean.shape)
        joint_directions = np.tensordot(mix, half_joints, 1)
        found.extend(zip(variance, directions, joint_directions, strict=True))
    found.sort(key=lambda entry: -entry[0])
    kept = [_pointing_up(entry, mean) for entry in found[:components]]
    return ShapeSpace(
        mean=mean,
        directions=np.stack([direction for _, direction, _ in kept]),
        mean_joints=mean_joints,
        joint_directions=np.stack([joints for _, _, joints in kept]),
        explained=np.array([variance for variance, _, _ in kept]) / total,
    )


def _gram_components(offsets: Float, count: int) -> tuple[Float, Float]:
    """Return the largest variances and unit vectors (M, count) over the samples."""
    flat = offsets.reshape(len(offsets), -1)
    gram = (flat @ flat.T).astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    return values[::-1][:count] / len(flat), vectors[:, ::-1][:, :count]


def _pointing_up(
    entry: tuple[float, Float, Float], mean: Float
) -> tuple[float, Float, Float]:
    """Choose the sign: towards taller, or for sideways components towards +x."""
    variance, direction, joints = entry
    top, bottom = mean[:, 1].argmax(), mean[:, 1].argmin()
    growth = float(direction[top, 1] - direction[bottom, 1])
    if abs(growth) < 1e-6:
        growth = float(direction[top, 0])
    sign = 1.0 if growth >= 0 else -1.0
    return variance, sign * direction, sign * joints
