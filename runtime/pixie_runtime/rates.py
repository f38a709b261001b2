"""How often each part is looked at: in every frame, or in every few."""

from dataclasses import dataclass, fields
from typing import Literal, Self

from pixie_runtime.errors import UsageError

RatedPart = Literal["body", "hands", "head", "landmarks"]

_SLOWEST = 10
"""At 30 frames a second a third of a second: beyond, nothing is followed any more."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Every how many frames the networks of each part run.

    Between two looks at a part the last one counts. Parts that do not run in every
    frame take turns, so that frames cost as nearly the same as can be.
    """

    body: int = 1
    hands: int = 1
    head: int = 1
    landmarks: int = 1
    """Of image bundles, where landmarks only say where to cut."""

    def __post_init__(self) -> None:
        for field in fields(self):
            every = getattr(self, field.name)
            if not 1 <= every <= _SLOWEST:
                raise UsageError(
                    f"rates: {field.name}={every}, expected every 1st to "
                    f"{_SLOWEST}th frame, as in body=2,hands=1,head=2"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `body=2,hands=1,head=2`; what is not named is looked at in every frame.

        Raises:
            UsageError: it says something else.
        """
        every: dict[str, int] = {}
        names = [field.name for field in fields(cls)]
        for item in text.split(","):
            name, _, number = (piece.strip() for piece in item.partition("="))
            if name not in names or name in every or not number.isdecimal():
                raise UsageError(
                    f"rates: {item.strip()!r} in {text!r}, expected each of "
                    f"{', '.join(names)} at most once with a number of frames, as in "
                    "body=2,hands=1,head=2"
                )
            every[name] = int(number)
        return cls(**every)

    def __str__(self) -> str:
        shown = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.landmarks == 1:
            del shown["landmarks"]
        return ",".join(f"{name}={every}" for name, every in shown.items())

    def due(self, part: RatedPart, frame: int) -> bool:
        """Whether a part is to be looked at in a frame, counted from the first look.

        In frame 0 every part is.
        """
        return frame == 0 or (frame - self._turn(part)) % getattr(self, part) == 0

    def _turn(self, part: RatedPart) -> int:
        """Return in which of its frames a part is looked at.

        Hands are the dearest part beside the body, so they go half-way between two
        bodies, or between two heads where the body is there all the time. Where
        landmarks are fresh in some frames only, parts are looked at in one of those.
        """
        turn = 0
        if part == "hands":
            turn = self.hands // 2
        elif part == "head" and self.body > 1:
            turn = self.head - 1
        return turn - turn % self.landmarks
