"""Where a body is in a picture that its network was not asked about."""

from dataclasses import replace

from pixie_runtime.landmarks.orientation import swapped
from pixie_runtime.types import Float32, PoseLandmarks

_RECENT_S = 0.5
"""Between two looks: after more than that nobody knows how somebody moved."""


class MovingBody:
    """Carries a body on as its points moved between the last two looks."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the body."""
        self._pose: PoseLandmarks | None = None
        self._time_s = 0.0
        self._velocity: Float32 | None = None

    def swap_sides(self) -> None:
        """Take left for right from now on: the next look is labelled the other way."""
        if self._pose is not None:
            self._pose = swapped(self._pose)

    def seen(self, pose: PoseLandmarks, time_s: float) -> None:
        """Take what was seen, at a time of the source's clock."""
        before, passed = self._pose, time_s - self._time_s
        self._velocity = None
        if before is not None and 0 < passed <= _RECENT_S:
            self._velocity = (pose.image - before.image) / passed
            self._velocity[:, 2] = 0  # depth is about the hips, which stay at 0
        self._pose, self._time_s = pose, time_s

    def at(self, time_s: float) -> PoseLandmarks | None:
        """Return the body as it should be now; None if none was seen, or long ago."""
        passed = time_s - self._time_s
        if self._pose is None or not 0 <= passed <= _RECENT_S:
            return None
        if self._velocity is None:
            return self._pose
        return replace(self._pose, image=self._pose.image + self._velocity * passed)
