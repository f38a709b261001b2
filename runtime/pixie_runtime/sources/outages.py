"""How often a camera was away, and for how long."""

from dataclasses import dataclass

_TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True, slots=True)
class Outages:
    """What is over: times without a picture that were long or cost the device."""

    count: int = 0
    seconds: float = 0.0
    """All of them together, each from one picture to the next."""

    def and_one_of(self, seconds: float) -> "Outages":
        """Return these and one more."""
        return Outages(self.count + 1, self.seconds + seconds)

    def text(self) -> str:
        """Return what to say of the camera; nothing if there were none."""
        if not self.count:
            return ""
        times = _TIMES.get(self.count, f"{self.count} times")
        return f"was gone or silent {times}, {self.seconds:.1f} s in all"
