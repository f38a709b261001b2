"""Left stays left: a body's sides are followed, not believed anew in each frame.

A network that sees a body from the front and from behind as nearly the same picture
sometimes answers with the other one: left and right are swapped and depth is mirrored,
for one frame or for a second. People do not do that, so continuity decides at once:
labels that jump across the body are put back. What the network, the hands' handedness
and a visible face say over time decides slowly, so that labels that were wrong from the
beginning, or crossed unseen, are mended within a second.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pixie_runtime.types import Float32, PoseLandmarks

MIRRORED = np.array(
    [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9]
    + [index + 1 if index % 2 else index - 1 for index in range(11, 33)]
)
"""For each of the 33 landmarks the one on the other side; an involution."""

_LIMBS = slice(11, 33)
_BOTH_WAYS = np.stack([np.arange(33)[_LIMBS], MIRRORED[_LIMBS]])
_LONGEST_GAP_S = 0.5
"""A body unseen for longer is taken as it comes."""
_PREDICTED_S = 0.1
"""No motion is drawn out further than this."""
_JUMP = 0.04
"""How much nearer, in body sizes, the swapped labels must be to what was expected."""
_TURN_PER_S = 0.6
"""What a fast turn of the body may change of that, in body sizes a second."""
_DOUBTFUL_COST = 0.08
"""Distance from what was expected, in body sizes, that calls for a second look."""
_DOUBTFUL_PRESENCE = 0.75
"""Likewise: the part of its usual presence to which a body has sunk."""
_CLEAR_DIFFERENCE = 0.15
"""Difference of the two labellings, in body sizes, at which a vote counts in full."""
_PRESENCE_PERIOD_S = 0.5

_MOST_TRUST_S = 2.0
_LEAST_TRUST_S = -0.7
"""Votes are in seconds of the network's own opinion; at this the labels change."""
_FACE_VOTE = 2.0
_HAND_VOTE = 1.0


def swapped(pose: PoseLandmarks) -> PoseLandmarks:
    """Return the same picture of a body read from the other side.

    Each landmark takes the place of its mirror image, and depth is mirrored at the
    hips: of the two bodies whose projection this is, the other one.
    """
    away = np.array([1, 1, -1], np.float32)
    return PoseLandmarks(
        image=pose.image[MIRRORED] * away,
        world=pose.world[MIRRORED] * away,
        visibility=pose.visibility[MIRRORED],
        presence=pose.presence[MIRRORED],
        score=pose.score,
    )


def frontality(pose: PoseLandmarks) -> float:
    """Return how much the chest faces the camera: 1 fully, -1 the back, by labels."""
    across = pose.image[11, :2] - pose.image[12, :2]
    down = (pose.image[23, :2] + pose.image[24, :2] - pose.image[11, :2]) / 2
    down = down - pose.image[12, :2] / 2
    area = float(across[0] * down[1] - across[1] * down[0])
    return float(np.clip(2 * area / max(float(down @ down), 1e-6), -1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What is known of the body from the frames before."""

    pose: PoseLandmarks
    time_s: float
    velocity: Float32
    """(22, 2), pixels a second, of the landmarks below the head."""
    presence: float
    """Usual mean presence of those landmarks."""

    @property
    def size(self) -> float:
        return max(float(np.ptp(self.pose.image[_LIMBS, :2], axis=0).max()), 1e-6)

    def costs(self, pose: PoseLandmarks, time_s: float) -> tuple[float, float]:
        """Return how far from where it was expected the body is, in body sizes.

        The mean distance of its landmarks as labelled, and with the sides swapped.
        """
        ahead_s = min(time_s - self.time_s, _PREDICTED_S)
        expected = self.pose.image[_LIMBS, :2] + self.velocity * ahead_s
        readings = pose.image[_BOTH_WAYS, :2] - expected
        distances = np.hypot(readings[..., 0], readings[..., 1])
        weights = self.pose.visibility[_LIMBS] + 1e-6
        mean = distances @ weights / (weights.sum() * self.size)
        return float(mean[0]), float(mean[1])

    def followed_by(self, pose: PoseLandmarks, time_s: float) -> "_Past":
        interval_s = time_s - self.time_s
        moved = pose.image[_LIMBS, :2] - self.pose.image[_LIMBS, :2]
        share = min(interval_s / _PRESENCE_PERIOD_S, 1.0)
        seen = float(pose.presence[_LIMBS].mean())
        return _Past(
            pose,
            time_s,
            np.asarray((self.velocity + moved / interval_s) / 2, np.float32),
            self.presence + share * (seen - self.presence),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """One way to read a frame."""

    pose: PoseLandmarks
    cost: float
    is_swapped: bool
    difference: float
    """How much further off the other labelling is, in body sizes."""


class SideKeeper:
    """Keeps one body's left and right apart over time."""

    def __init__(self) -> None:
        self._past: _Past | None = None
        self._trust_s = 0.0
        self._agreement = 0.0
        self._interval_s = 0.0

    def reset(self) -> None:
        """Forget the body."""
        self._past = None
        self._trust_s = self._agreement = self._interval_s = 0.0

    def settle(
        self,
        pose: PoseLandmarks,
        time_s: float,
        second_look: Callable[[], PoseLandmarks | None],
    ) -> PoseLandmarks:
        """Return the frame's body with its sides as they were before.

        Args:
            pose: The network's answer.
            time_s: The frame's time; not before the last one's.
            second_look: Asks the network again in another way; called only if its
                answer does not fit what was expected.
        """
        past = self._past
        if past is None or not 0 < time_s - past.time_s <= _LONGEST_GAP_S:
            self.reset()
            still = np.zeros_like(pose.image[_LIMBS, :2])
            seen = float(pose.presence[_LIMBS].mean())
            self._past = _Past(pose, time_s, still, seen)
            return pose
        reading = _read(pose, past, time_s)
        if reading.is_swapped or _is_doubtful(reading, past):
            other = second_look()
            if other is not None:
                reading = _better(reading, _read(other, past, time_s))
        self._interval_s = time_s - past.time_s
        weight = min(max(reading.difference, 0) / _CLEAR_DIFFERENCE, 1.0)
        self._agreement = -weight if reading.is_swapped else weight
        self._past = past.followed_by(reading.pose, time_s)
        return reading.pose

    def weigh(self, *, hands_agree: tuple[float, ...], has_face: bool) -> bool:
        """Take in what else the frame says; return whether the sides were exchanged.

        After True the body given by `settle` is to be read the other way round, and so
        are the next ones.

        Args:
            hands_agree: For each hand seen on an arm, the probability that it is
                of that arm's side, by the hand alone.
            has_face: Whether a face was seen on the body.
        """
        if self._past is None:
            return False
        votes = self._agreement
        votes += _HAND_VOTE * sum(2 * odds - 1 for odds in hands_agree)
        if has_face:
            votes += _FACE_VOTE * frontality(self._past.pose)
        self._trust_s = min(self._trust_s + votes * self._interval_s, _MOST_TRUST_S)
        if self._trust_s > _LEAST_TRUST_S:
            return False
        self._trust_s = 0.0
        self._past = replace(
            self._past,
            pose=swapped(self._past.pose),
            velocity=self._past.velocity[MIRRORED[_LIMBS] - _LIMBS.start],
        )
        return True


def _read(pose: PoseLandmarks, past: _Past, time_s: float) -> _Reading:
    """Return the labelling of `pose` that continues the past."""
    cost, other_cost = past.costs(pose, time_s)
    jump = _JUMP + _TURN_PER_S * (time_s - past.time_s)
    if cost - other_cost > jump and other_cost < cost / 2:
        return _Reading(swapped(pose), other_cost, True, cost - other_cost)
    return _Reading(pose, cost, False, other_cost - cost)


def _is_doubtful(reading: _Reading, past: _Past) -> bool:
    seen = float(reading.pose.presence[_LIMBS].mean())
    return reading.cost > _DOUBTFUL_COST or seen < _DOUBTFUL_PRESENCE * past.presence


def _better(first: _Reading, second: _Reading) -> _Reading:
    """Return the nearer reading; of two as near, the one that needs no swap."""
    if abs(first.cost - second.cost) < _JUMP / 2:
        return second if first.is_swapped and not second.is_swapped else first
    return min(first, second, key=lambda reading: reading.cost)
