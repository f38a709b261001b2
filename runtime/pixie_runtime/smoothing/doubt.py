"""Seeing twice before believing: a body that turns round from one frame to the next."""

from collections.abc import Callable

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.smoothing.settings import SmoothingSettings
from pixie_runtime.types import Float32


class TurnDoubt:
    """Doubts sudden turns of the body until they have lasted.

    A detector that takes left for right, or one limb for another, for a single frame
    throws the whole body round; people turn at a limited speed. A turn that is too fast
    is believed once what follows agrees with it for `doubt_s`.
    """

    def __init__(self, settings: SmoothingSettings) -> None:
        self._settings = settings
        self._believed: tuple[Float32, float] | None = None
        self._doubted: tuple[Float32, float] | None = None
        self._doubted_since_s = 0.0

    def believes(self, root: Float32, time_s: float) -> bool:
        """Return whether the root's rotation, wxyz (4,), is to be followed."""
        if not np.isfinite(root).all():
            return True
        near = self._near(root, time_s)
        if self._believed is None or near(self._believed):
            return self._believe(root, time_s)
        if self._doubted is None or not near(self._doubted):
            self._doubted_since_s = time_s
        elif time_s - self._doubted_since_s >= self._settings.doubt_s:
            return self._believe(root, time_s)
        self._doubted = (root, time_s)
        return self._settings.doubt_s == 0 and self._believe(root, time_s)

    def _believe(self, root: Float32, time_s: float) -> bool:
        self._believed, self._doubted = (root, time_s), None
        return True

    def _near(
        self, root: Float32, time_s: float
    ) -> Callable[[tuple[Float32, float]], bool]:
        """Return the test whether a body could have turned to `root` since."""
        s = self._settings

        def near(earlier: tuple[Float32, float]) -> bool:
            before, then_s = earlier
            elapsed = time_s - then_s
            if not 0 <= elapsed <= s.gap_s:
                return True
            turned = np.degrees(rot.angle_between(before, root))
            return bool(turned <= s.sudden_deg + s.fastest_turn_deg_per_s * elapsed)

        return near
