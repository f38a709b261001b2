"""Where a take that is watched stands: played, held, gone through, at any speed."""

import time
from collections.abc import Callable


class Playback:
    """The clock of a take; it runs until the end and waits there. Any thread may ask.

    Args:
        duration_s: From the take's first frame to its last.
        clock: What passes while it is played, seconds.
    """

    def __init__(
        self, duration_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.duration_s = duration_s
        self._clock = clock
        # Replaced as a whole: where it stood, when, and how fast it goes from there.
        self._from = (0.0, clock(), 1.0)
        self._speed = 1.0

    @property
    def position_s(self) -> float:
        """Since the first frame."""
        stood_s, then_s, speed = self._from
        return min(stood_s + (self._clock() - then_s) * speed, self.duration_s)

    @property
    def playing(self) -> bool:
        """Whether it goes on by itself."""
        return self._from[2] > 0 and self.position_s < self.duration_s

    @property
    def speed(self) -> float:
        """How fast it is played, as a multiple of life."""
        return self._speed

    def play(self) -> None:
        """Go on; from the beginning if it is at its end."""
        at = self.position_s
        self._go_on(0.0 if at >= self.duration_s else at, self._speed)

    def pause(self) -> None:
        """Stay here."""
        self._go_on(self.position_s, 0.0)

    def seek(self, time_s: float) -> None:
        """Go to a moment and do there what was done here."""
        playing = self.playing
        at = min(max(time_s, 0.0), self.duration_s)
        self._go_on(at, self._speed if playing else 0.0)

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as life from here on."""
        self._speed = speed
        if self._from[2] > 0:
            self._go_on(self.position_s, speed)

    def _go_on(self, at_s: float, speed: float) -> None:
        self._from = (at_s, self._clock(), speed)
