"""Where people go: network, files, pictures. None may stall the others."""

from dataclasses import dataclass
from typing import Protocol

from pixie_runtime.types import Frame, Person


@dataclass(frozen=True, slots=True)
class Tick:
    """One processed frame and who was in it (nobody: an empty tuple)."""

    frame: Frame
    people: tuple[Person, ...]


class Sink(Protocol):
    """Takes every processed frame, in order, without ever blocking on a receiver."""

    @property
    def name(self) -> str:
        """What a status line calls it."""
        ...

    @property
    def dropped(self) -> int:
        """Messages given up so far because the receiver was slow or gone."""
        ...

    def send(self, tick: Tick) -> None:
        """Pass the tick on. Raises SinkError when the sink can do no more at all."""
        ...

    def close(self) -> None:
        """Finish what was begun (flush, write headers) and free ports and files."""
        ...
