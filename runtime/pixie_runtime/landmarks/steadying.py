"""A filter that keeps the body's region still while the body is still."""

import numpy as np

from pixie_runtime.types import Float32, Float64

_MIN_CUTOFF_HZ = 0.01
_SPEED_COEFFICIENT = 10.0
_SPEED_CUTOFF_HZ = 1.0
_FIRST_INTERVAL_S = 1 / 30


class SteadyPoints:
    """One-Euro filter on points, its speed measured in body sizes.

    Constants of MediaPipe's PoseLandmarkFiltering for the auxiliary landmarks that the
    next frame's region is made of. Casiez et al., "1 Euro Filter", CHI 2012.
    """

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._interval_s = _FIRST_INTERVAL_S
        self._raw: Float64 | None = None
        self._speed: Float64 | None = None
        self._value: Float64 | None = None

    def update(self, points: Float32, *, size: float, time_s: float) -> Float32:
        """Return points (n, 2) in pixels, filtered; `size` is the body's in pixels."""
        raw = points.astype(np.float64)
        if self._raw is None or self._speed is None or self._value is None:
            self._time_s, self._raw, self._value = time_s, raw, raw.copy()
            self._speed = np.zeros_like(raw)
            return points
        if self._time_s is not None and time_s > self._time_s:
            self._interval_s = time_s - self._time_s
        self._time_s = time_s
        speed = (raw - self._raw) / max(size, 1e-6) / self._interval_s
        self._speed += self._weight(_SPEED_CUTOFF_HZ) * (speed - self._speed)
        cutoff = _MIN_CUTOFF_HZ + _SPEED_COEFFICIENT * np.abs(self._speed)
        self._value += self._weight(cutoff) * (raw - self._value)
        self._raw = raw
        return self._value.astype(np.float32)

    def reset(self) -> None:
        """Forget the past: the next points are taken as they are."""
        self._raw = self._speed = self._value = self._time_s = None
        self._interval_s = _FIRST_INTERVAL_S

    def _weight(self, cutoff_hz: float | Float64) -> Float64:
        return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff_hz * self._interval_s)))
