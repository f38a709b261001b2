"""Feet that stand where they stand: the body's place, corrected after the fact.

One camera hardly sees depth, so that a body's distance wavers, and its feet slide along
the line of sight while they stand. In the picture they do stand: that tells when. The
place of the whole body is then moved such that they stand in the room too; pose and
shape stay as they are.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.takes.take import WORLD_FROM_CAMERA, Take
from pixie_runtime.takes.track import break_s
from pixie_runtime.types import Float64

_BALLS = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
_SURE = 0.5
"""Confidence of a body whose feet are believed."""
_STANDS_M_PER_S = 0.4
"""Speed across the line of sight at which a foot is as likely to stand as to move; in
steps feet reach 2 to 5."""
_SLIDES_M_PER_S = 0.03
"""By how much a foot that stands is allowed to move: about what remains."""
_DRIFTS_M_PER_S = 0.3
"""How fast the correction may change where no foot stands."""
_OUT_OF_PLACE_M = np.array([0.05, 0.05, 0.5])
"""How far from where it was seen a body may come to be: across the line of sight, where
the picture shows it, and along it (camera axes)."""
_CONTRADICTS_M_PER_S = 0.3
"""A foot that would have to slide faster than that beside the other does not stand."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class FootLock:
    """A take whose feet are locked, and when they are."""

    take: Take
    standing: Float64
    """(T - 1, 2) in [0, 1]: whether left and right foot stand from one frame to the
    next."""

    def slide(self, take: Take) -> float:
        """Return how fast feet that stand move in a take of this motion, m/s (median).

        0 where none stands.
        """
        speed = np.linalg.norm(_steps(take), axis=-1) / _seconds(take)[:, None]
        stands = self.standing > 0.5
        return float(np.median(speed[stands])) if stands.any() else 0.0

    @property
    def share(self) -> float:
        """How much of the time a foot stands, in [0, 1]."""
        if not self.standing.size:
            return 0.0
        return float((self.standing > 0.5).any(axis=1).mean())


def feet_locked(take: Take) -> FootLock:
    """Return the take with its body moved such that feet that stand do not slide.

    The correction c (T, 3) minimises, over the take's unbroken pieces,

        sum |c / out_of_place|^2 dt
        + sum standing |(feet + c)' / slides|^2 dt + sum |c' / drifts|^2 dt

    by tridiagonal systems, one for each axis of the camera, in a few rounds in which
    a foot that contradicts the other one loses its weight (Geman and McClure's).
    Feet count that are in the picture, of bodies that are believed.
    """
    if len(take) < 2:
        return FootLock(take, np.zeros((0, 2)))
    dt = _seconds(take)
    joined = dt <= break_s(take.timestamps_s)
    likely = _likely(take) * joined[:, None]
    steps = _steps(take)
    span = np.zeros(len(take))
    span[1:] += np.where(joined, dt, 0) / 2
    span[:-1] += np.where(joined, dt, 0) / 2
    # A frame by itself has no time of its own, and no reason to move.
    kept = np.where(span > 0, span, 1.0)[:, None] / _OUT_OF_PLACE_M**2
    drift = joined / dt / _DRIFTS_M_PER_S**2
    agreeing = np.ones_like(likely)
    for _ in range(_ROUNDS):
        held = likely * agreeing / dt[:, None] / _SLIDES_M_PER_S**2
        c = _corrections(
            kept, held.sum(axis=1) + drift, (held[..., None] * steps).sum(1)
        )
        left = np.linalg.norm(steps + np.diff(c, axis=0)[:, None], axis=-1)
        speed = left / dt[:, None]
        agreeing = 1 / (1 + (speed / _CONTRADICTS_M_PER_S) ** 2) ** 2
    moved = c.astype(np.float32)
    locked = replace(
        take,
        trans=take.trans + moved * WORLD_FROM_CAMERA,
        joints=take.joints + moved[:, None],
    )
    return FootLock(locked, likely * agreeing)


def _seconds(take: Take) -> Float64:
    return np.diff(take.timestamps_s)


def _steps(take: Take) -> Float64:
    """Return how the balls of the feet move from frame to frame, (T - 1, 2, 3)."""
    return np.diff(take.joints[:, _BALLS].astype(np.float64), axis=0)


def _likely(take: Take) -> Float64:
    """Return how likely each foot stands from a frame to the next, by the picture."""
    feet, camera = take.joints[:, _BALLS].astype(np.float64), take.camera
    depth = np.maximum(feet[..., 2], 1e-3)
    rays = feet[..., :2] / depth[..., None]
    pixels = rays * camera.focal_px + np.array(camera.centre_px)
    inside = ((pixels >= 0) & (pixels <= np.array(camera.size_px))).all(axis=-1)
    seen = inside & (feet[..., 2] > 0) & (take.confidences[:, :1] >= _SURE)
    across = np.linalg.norm(np.diff(rays, axis=0), axis=-1)
    across *= (depth[1:] + depth[:-1]) / 2
    speed = across / _seconds(take)[:, None]
    both = seen[1:] & seen[:-1]
    return np.asarray(both / (1 + (speed / _STANDS_M_PER_S) ** 4), np.float64)


def _corrections(kept: Float64, coupling: Float64, pull: Float64) -> Float64:
    """Return c (T, 3) with (kept + coupling's Laplacian) c = the divergence of -pull.

    Args:
        kept: What holds each frame where it is, (T, 3).
        coupling: Between each frame and the next, (T - 1,).
        pull: How each frame is to move against the next, (T - 1, 3).
    """
    diagonal, right = kept.copy(), np.zeros_like(kept)
    diagonal[1:] += coupling[:, None]
    diagonal[:-1] += coupling[:, None]
    right[1:] -= pull
    right[:-1] += pull
    axes = [_tridiagonal(diagonal[:, a], coupling, right[:, a]) for a in range(3)]
    return np.stack(axes, axis=1)


def _tridiagonal(
    diagonal: Float64, coupling: Float64, right: Float64
) -> npt.NDArray[np.float64]:
    """Solve a symmetric system with -`coupling` beside its diagonal (Thomas)."""
    d, k, b = diagonal.tolist(), coupling.tolist(), right.tolist()
    for i in range(1, len(d)):
        share = k[i - 1] / d[i - 1]
        d[i] -= share * k[i - 1]
        b[i] += share * b[i - 1]
    b[-1] /= d[-1]
    for i in range(len(d) - 2, -1, -1):
        b[i] = (b[i] + k[i] * b[i + 1]) / d[i]
    return np.array(b)
