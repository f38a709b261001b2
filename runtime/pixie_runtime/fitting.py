"""Bringing a regressed body onto its landmarks: a few small Gauss-Newton steps.

A network that regresses rotations is right in the large and off by centimetres at the
ends of limbs, where errors add up; the landmarks' places in the picture are better than
that. Each step turns the free joints and moves the body so that its points project
nearer to where they were seen, and pays for every turn away from the regression: what
the picture does not show (depth, twist) stays as regressed.
"""

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.body import ShapedBody
from pixie_runtime.correspondences import Correspondences
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX, PARENTS
from pixie_runtime.types import Float32, Float64

_TRUST_RAD = {
    "pelvis": 0.10,
    "spine1": 0.05,
    "spine3": 0.08,
    "neck": 0.10,
    "head": 0.05,
    "left_shoulder": 0.25,
    "right_shoulder": 0.25,
    "left_elbow": 0.25,
    "right_elbow": 0.25,
    "left_wrist": 0.10,
    "right_wrist": 0.10,
    "left_hip": 0.20,
    "right_hip": 0.20,
    "left_knee": 0.20,
    "right_knee": 0.20,
    "left_ankle": 0.15,
    "right_ankle": 0.15,
}
"""Joints that may turn, and the standard deviation of the regression there, radians."""
_TRUST_M = 0.5
"""Standard deviation of the body's place before the fit, metres."""
_LANDMARK_M = 0.02
"""Standard deviation of a fully visible landmark across the line of sight, metres."""
_STEPS = 4
_OUTLIER = 4.0
"""Residuals beyond this many standard deviations pull less, the farther the less."""

_FREE = np.array([JOINT_INDEX[name] for name in _TRUST_RAD])
_PARENT_OF_FREE = np.maximum(np.array(PARENTS)[_FREE], 0)
_PRIOR = np.concatenate(
    [np.repeat(1 / np.square(list(_TRUST_RAD.values())), 3), np.full(3, _TRUST_M**-2)]
)
"""Inverse variances of a step: the free joints' turns, then the shift."""
_DIAGONAL = np.diag_indices(len(_PRIOR))


def _descent() -> npt.NDArray[np.bool_]:
    """Return (F, 55): whether each joint moves with the free joint or is it."""
    moves = np.zeros((JOINT_COUNT, JOINT_COUNT), bool)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            moves[:, joint] = moves[:, parent]
        moves[joint, joint] = True
    return np.asarray(moves[_FREE])


_MOVES = _descent()


def fit(
    shaped: ShapedBody,
    quaternions: Float32,
    transl: Float32,
    seen: Correspondences,
) -> tuple[Float32, Float32]:
    """Return rotations and translation nearer to the landmarks.

    Args:
        shaped: the body.
        quaternions: regressed rotations, wxyz, (55, 4), the root in camera axes.
        transl: (3,) metres, camera frame.
        seen: which points of the body were seen where.
    """
    points = seen.points
    weight = np.repeat(seen.weight / _LANDMARK_M**2, 2)
    q, t = quaternions.astype(np.float64), transl.astype(np.float64)
    gone = np.zeros_like(_PRIOR)
    equations = _Equations(seen.rays, _MOVES[:, points.joint].T)
    for _ in range(_STEPS):
        posed = shaped.posed(q.astype(np.float32), t.astype(np.float32))
        T = posed.transforms.astype(np.float64)
        A, b = equations.at(points.place(posed.transforms), T[_FREE, :3, 3])
        sigmas = np.abs(b) * np.sqrt(weight)
        w = weight / np.square(np.maximum(sigmas / _OUTLIER, 1))
        WA = A * w[:, None]
        normal = WA.T @ A
        normal[_DIAGONAL] += _PRIOR
        step = np.linalg.solve(normal, b @ WA - _PRIOR * gone)
        turns, shift = step[:-3].reshape(-1, 3), step[-3:]
        q[_FREE] = _turned(q[_FREE], T[_PARENT_OF_FREE, :3, :3], turns)
        t += shift
        gone += step
    return q.astype(np.float32), t.astype(np.float32)


def _turned(q: Float64, R_parent: Float64, turns: Float64) -> Float64:
    """Turn joints by small rotation vectors (F, 3) given in camera axes."""
    local = np.where(
        (_FREE == 0)[:, None], turns, np.einsum("fba,fb->fa", R_parent, turns)
    )
    product = rotations.multiply(rotations.from_rotvec(local), q)
    return np.asarray(rotations.normalise(product), np.float64)


class _Equations:
    """The points' distances from their rays in metres, linear in a step.

    The distance of a point p from the ray u is (p_x - u_x p_z, p_y - u_y p_z); turning
    a joint at c by a small w moves the point by w x (p - c).
    """

    def __init__(self, rays: Float64, moves: npt.NDArray[np.bool_]) -> None:
        """Take rays (P, 2), and whether each point moves with each joint, (P, F)."""
        count, free = moves.shape
        self._rays = rays
        self._moves = moves[..., None]
        self._A = np.zeros((count, 2, 3 * free + 3))
        self._A[:, :, -3:-1] = np.eye(2)
        self._A[:, :, -1] = -rays
        self._turns = self._A[:, :, :-3].reshape(count, 2, free, 3)

    def at(self, places: Float32, centres: Float64) -> tuple[Float64, Float64]:
        """Linearise about points (P, 3) and joints (F, 3).

        Returns:
            A (2P, 3F + 3) and b (2P,): A @ step should be b. A is valid until the next
            call.
        """
        p = places.astype(np.float64)
        x, y, z = np.moveaxis((p[:, None] - centres) * self._moves, -1, 0)
        u, v = self._rays[:, :1], self._rays[:, 1:]
        along_x, along_y = self._turns[:, 0], self._turns[:, 1]
        along_x[..., 0] = -u * y
        along_x[..., 1] = z + u * x
        along_x[..., 2] = -y
        along_y[..., 0] = -z - v * y
        along_y[..., 1] = v * x
        along_y[..., 2] = x
        b = self._rays * p[:, 2:] - p[:, :2]
        return self._A.reshape(2 * len(p), -1), b.reshape(-1)
