"""How often something is sent, where a receiver wants less than every frame."""


class Pace:
    """Lets through so many a second, evenly, out of whatever comes.

    Args:
        per_second: At most so many; None lets everything through.
    """

    def __init__(self, per_second: float | None) -> None:
        self._period_s = 0.0 if per_second is None else 1 / per_second
        self._due_s: float | None = None

    def lets_through(self, now_s: float) -> bool:
        """Say whether what comes now, by a clock that never goes back, is to be sent.

        A little early counts: frames that come at just that rate, some sooner and some
        later, all pass.
        """
        if self._due_s is None or now_s > self._due_s + self._period_s:
            self._due_s = now_s  # the first, or the first after a pause
        if now_s < self._due_s - self._period_s / 2:
            return False
        self._due_s += self._period_s
        return True
