"""Where avatars stand: the ground below somebody, found while they are first seen.

One camera does not know how high it hangs. An avatar, though, is expected to stand at
the origin of its scene, on the ground, and not metres behind it and below.
"""

from typing import Literal

import numpy as np

from pixie_runtime.humanoid import to_unity_world
from pixie_runtime.humanoid_root import SOLE_BELOW_ANKLE, SOLE_BELOW_TOES
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, Person

Origin = Literal["ground", "camera"]
"""Where the world's origin is: on the ground where somebody was first seen, or at the
camera."""

_SETTLE_S = 1.0
"""How long, on the source's clock, the place may still change."""
_ANKLES = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]
_TOES = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


class Ground:
    """Finds the ground, and the point on it where the first person stands.

    It is the median over the first second in which they are seen, which one bad frame
    does not move, and stays from then on: whatever the person does afterwards, walking,
    sitting down, jumping, moves the avatar and not the ground. Who else comes into view
    stands on the same ground, so that people keep their distances.
    """

    def __init__(self) -> None:
        self._samples: list[Float32] = []
        self._track_id = -1
        self._began_s = self._seen_s = 0.0
        self._place = np.zeros(3, np.float32)
        self._settled = False

    @property
    def settled(self) -> bool:
        """Whether it has been found for good."""
        return self._settled

    @property
    def place(self) -> Float32:
        """The point on the ground as far as it is known, (3,), metres.

        In Unity's axes, from the camera.
        """
        return self._place

    def observe(self, person: Person) -> None:
        """Take note of a person, as long as the ground is not settled."""
        if self._settled:
            return
        now = person.timestamp_s
        if person.track_id != self._track_id:
            if self._samples and now - self._seen_s < _SETTLE_S:
                return  # somebody else; the first one is still there
            self._samples.clear()
            self._track_id, self._began_s = person.track_id, now
        self._seen_s = now
        self._samples.append(_standing_point(person))
        self._place = np.median(self._samples, axis=0).astype(np.float32)
        self._settled = now - self._began_s >= _SETTLE_S


def _standing_point(person: Person) -> Float32:
    """Return the point below the hips, as low as the lower sole, (3,)."""
    joints = to_unity_world(person.joints)
    ankles = joints[_ANKLES, 1] - SOLE_BELOW_ANKLE
    toes = joints[_TOES, 1] - SOLE_BELOW_TOES
    lowest = min(ankles.min(), toes.min())
    return np.array([joints[0, 0], lowest, joints[0, 2]], np.float32)
