"""Seeing twice before believing: what turns round from one frame to the next."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.types import Float32


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How fast something turns, and when a faster turn is believed."""

    sudden_deg: float
    """A turn between two frames that may be noise, degrees."""
    fastest_deg_per_s: float
    """What turns faster is doubted, degrees a second."""
    doubt_s: float
    """How long a doubted turn must last, seconds; 0: no doubt."""
    gap_s: float
    """Whatever was not seen for longer may have turned to anywhere, seconds."""


class TurnDoubt:
    """Doubts sudden turns of a body or a hand until they have lasted.

    A detector that takes left for right, a palm for its back, or one limb for another,
    for a single frame, throws the whole part round; people turn at a limited speed. A
    turn that is too fast is believed once what follows agrees with it for `doubt_s`.
    """

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self._believed: tuple[Float32, float] | None = None
        self._doubted: tuple[Float32, float] | None = None
        self._doubted_since_s = 0.0

    def believes(self, q: Float32, time_s: float) -> bool:
        """Return whether the rotation, wxyz (4,), is to be followed."""
        if not np.isfinite(q).all():
            return True
        near = self._near(q, time_s)
        if self._believed is None or near(self._believed):
            return self._believe(q, time_s)
        if self._doubted is None or not near(self._doubted):
            self._doubted_since_s = time_s
        elif time_s - self._doubted_since_s >= self._limits.doubt_s:
            return self._believe(q, time_s)
        self._doubted = (q, time_s)
        return self._limits.doubt_s == 0 and self._believe(q, time_s)

    def _believe(self, q: Float32, time_s: float) -> bool:
        self._believed, self._doubted = (q, time_s), None
        return True

    def _near(
        self, q: Float32, time_s: float
    ) -> Callable[[tuple[Float32, float]], bool]:
        """Return the test whether something could have turned to `q` since."""
        limits = self._limits

        def near(earlier: tuple[Float32, float]) -> bool:
            before, then_s = earlier
            elapsed = time_s - then_s
            if not 0 <= elapsed <= limits.gap_s:
                return True
            turned = np.degrees(rot.angle_between(before, q))
            most = limits.sudden_deg + limits.fastest_deg_per_s * elapsed
            return bool(turned <= most)

        return near
