"""The joint regressor: each joint as a convex mix of nearby vertices.

Non-negative least squares on the mean body and the first shape components, with a price
on distance so that many near vertices share the work. Only vertices that no expression
moves take part, so that a smile leaves the joints alone.
"""

import numpy as np
from scipy.optimize import nnls

from pixie_runtime.smplx import JAW, JOINT_NAMES
from tools.bake_body.arrays import Bool, Float, Int
from tools.bake_body.shape_space import ShapeSpace

_DIRECTIONS = 40
_NEAREST = {"left": 400, "central": 900, "jaw": 1200}
"""Vertices tried; the jaw needs some of the temples, in front of it."""
_WEIGHT = 20.0
"""Of the mean body's equations, and of the sum being one, against the shapes' ones."""
_DISTANCE_PRICE = 0.1


def fit(
    space: ShapeSpace,
    allowed: Bool,
    pools: dict[str, Bool],
    mirror: Int,
    mirror_joints: Int,
) -> Float:
    """Return the regressor (55, V), rows summing to one, mirror-symmetric.

    `pools` names joints with vertices of their own, (V,) each; others use `allowed`.
    """
    regressor = np.zeros((len(JOINT_NAMES), len(space.mean)))
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith("right"):
            continue
        sided = name.startswith("left")
        usable = pools.get(name, allowed)
        if sided:
            usable = usable & (space.mean[:, 0] > 0)
        pool = np.flatnonzero(usable)
        distance = np.linalg.norm(space.mean[pool] - space.mean_joints[joint], axis=1)
        nearest = np.argsort(distance, kind="stable")
        kind = "left" if sided else "jaw" if joint == JAW else "central"
        pool = pool[nearest[: _NEAREST[kind]]]
        regressor[joint, pool] = _mix(space, joint, pool)
        if not sided:
            regressor[joint] = 0.5 * (regressor[joint] + regressor[joint][mirror])
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith("right"):
            regressor[joint] = regressor[mirror_joints[joint]][mirror]
    return regressor


def _mix(space: ShapeSpace, joint: int, pool: Int) -> Float:
    """Return weights (len(pool),) that sum to one.

    The jaw's hinge is known on the mean body only, so that its motion with shape is
    left to the skin around it.
    """
    known = 0 if joint == JAW else _DIRECTIONS
    directions = space.directions[:known, pool].transpose(0, 2, 1)
    distance = np.linalg.norm(space.mean[pool] - space.mean_joints[joint], axis=1)
    A = np.concatenate(
        [
            _WEIGHT * space.mean[pool].T,
            np.full((1, len(pool)), _WEIGHT),
            directions.reshape(-1, len(pool)),
            np.diag(_DISTANCE_PRICE * distance),
        ]
    ).astype(np.float64)
    b = np.concatenate(
        [
            _WEIGHT * space.mean_joints[joint],
            [_WEIGHT],
            space.joint_directions[:known, joint].ravel(),
            np.zeros(len(pool)),
        ]
    )
    weights, _ = nnls(A, b, maxiter=20 * len(pool))
    return np.asarray(weights / weights.sum())
