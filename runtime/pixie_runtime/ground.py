"""Where avatars stand: the ground below somebody, found while they are first seen.

One camera does not know how high it hangs. An avatar, though, is expected to stand at
the origin of its scene, on the ground, and not metres behind it and below.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pixie_runtime.humanoid import UPRIGHT
from pixie_runtime.humanoid_root import SOLE_BELOW_ANKLE, SOLE_BELOW_TOES
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float64, Person

if TYPE_CHECKING:
    from pixie_runtime.calibration import Calibration

_SETTLE_S = 1.0
"""How long, on the source's clock, the place may still change."""
_FEWEST = 10
"""Frames it takes at least: of so many, four bad ones do not move a median."""
_UNKNOWN_STEP_S = 1.0
"""Taken for the time between two frames where only one was seen so far."""
_ANKLES = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]
_TOES = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


def _uncalibrated() -> "Calibration | None":
    return None


class Ground:
    """Finds the ground, and the point on it where the first person stands.

    It is the median over the first second in which they are seen, and over ten frames
    at least, which one bad frame does not move, and stays from then on: whatever the
    person does afterwards, walking, sitting down, jumping, moves the avatar and not the
    ground. Who else comes into view stands on the same ground, so that people keep
    their distances. Who leaves before it is found, were they there at all, leaves it to
    whoever comes next.

    The camera is taken to be level, unless a calibration says how it is tilted; its
    floor then is the ground.

    Args:
        calibration: Returns the one that holds now, if any.
    """

    def __init__(
        self, calibration: "Callable[[], Calibration | None]" = _uncalibrated
    ) -> None:
        self._calibration = calibration
        self._samples: list[Float64] = []
        self._track_id = -1
        self._began_s = self._seen_s = 0.0
        self._place = np.zeros(4)
        self._settled = False

    @property
    def settled(self) -> bool:
        """Whether it has been found for good."""
        return self._settled

    def world_from_camera(self) -> Float64:
        """Return where the camera is, as far as is known, (4, 4), metres.

        The world is right-handed: x to the camera's right, y up. Its origin is the
        point on the ground.
        """
        calibration = self._calibration()
        T = UPRIGHT if calibration is None else calibration.floor_from_camera
        floor_m = self._place[3] if calibration is None else 0.0
        x, _, z = T[:3, :3] @ self._place[:3] + T[:3, 3]
        moved = T.copy()
        moved[:3, 3] -= [x, floor_m, z]
        return moved

    def observe(self, person: Person) -> None:
        """Take note of a person, as long as the ground is not settled."""
        if self._settled:
            return
        now = person.timestamp_s
        if not self._samples or now - self._seen_s >= self._gone_after_s():
            # Whatever their number: one who comes back is nobody known either.
            self._samples.clear()
            self._track_id, self._began_s = person.track_id, now
        elif person.track_id != self._track_id:
            return  # somebody else; the first one is still there
        self._seen_s = now
        self._samples.append(_sample(person))
        self._place = np.median(self._samples, axis=0)
        long_enough = now - self._began_s >= _SETTLE_S
        self._settled = long_enough and len(self._samples) >= _FEWEST

    def _gone_after_s(self) -> float:
        """Return for how long the person has to be unseen to have left."""
        steps = len(self._samples) - 1
        step_s = (self._seen_s - self._began_s) / steps if steps else _UNKNOWN_STEP_S
        return max(_SETTLE_S, 3 * step_s)


def _sample(person: Person) -> Float64:
    """Return where the pelvis is, camera frame, and how high the lower sole, (4,)."""
    joints = person.joints.astype(np.float64)
    heights = -joints[:, 1]
    ankles = heights[_ANKLES].min() - SOLE_BELOW_ANKLE
    toes = heights[_TOES].min() - SOLE_BELOW_TOES
    return np.append(joints[0], min(ankles, toes))
