"""Times that only go forward, out of timestamps that may not."""

from math import inf

_SMALLEST_STEP_S = 1e-3
"""Put between pictures whose timestamps stand still or go back a little."""

_MOST_REORDERED = 4
_LARGEST_DISORDER_S = 0.25
"""AVI stamps reordered pictures out of order, a few intervals back and forth. What goes
back further is a clock that begins anew: files were joined, a camera was set right."""


class Timeline:
    """Gives each picture of a file its time since the first.

    Gaps are kept: nobody knows whether something is missing or the camera stood still.
    """

    def __init__(self, interval_s: float) -> None:
        """Start before the first picture; `interval_s` is nominally between two."""
        self._interval_s = interval_s
        self._origin_s = 0.0
        self._last_s = 0.0
        self._stamp_s = -inf
        self._count = 0

    @property
    def count(self) -> int:
        """How many pictures have come."""
        return self._count

    @property
    def end_s(self) -> float:
        """When the last picture stops being shown, seconds from the first."""
        return self._last_s + self._usual_step_s

    def next_s(self, stamp_s: float | None) -> float:
        """Return the next picture's time; `stamp_s` is what the file says, if it does.

        A clock that begins anew goes on one interval after the last picture.
        """
        if not self._count:
            self._origin_s = stamp_s or 0.0
        else:
            expected_s = self._last_s + self._interval_s
            passed_s = expected_s if stamp_s is None else stamp_s - self._origin_s
            if stamp_s is not None and self._begins_anew(stamp_s):
                self._origin_s, passed_s = stamp_s - expected_s, expected_s
            self._last_s = max(passed_s, self._last_s + _SMALLEST_STEP_S)
        self._stamp_s = self._stamp_s if stamp_s is None else stamp_s
        self._count += 1
        return self._last_s

    def _begins_anew(self, stamp_s: float) -> bool:
        """Whether a stamp goes back further than those of one recording may."""
        usual_s = min(_MOST_REORDERED * self._usual_step_s, _LARGEST_DISORDER_S)
        disorder_s = max(usual_s, _MOST_REORDERED * self._interval_s)
        passed_s = stamp_s - self._origin_s
        return stamp_s < self._stamp_s and passed_s < self._last_s - disorder_s

    @property
    def _usual_step_s(self) -> float:
        steps = self._count - 1
        # What came tells more than the announced rate, which some files have wrong.
        return self._last_s / steps if steps > 0 else self._interval_s
