"""Where people go: network, files, pictures. None may stall the others."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pixie_runtime.types import Frame, Person, PersonLandmarks


@dataclass(frozen=True, slots=True)
class Tick:
    """One processed frame and who was in it (nobody: an empty tuple)."""

    frame: Frame
    people: tuple[Person, ...]
    landmarks: tuple[PersonLandmarks, ...] = ()
    """What was found in the picture, whether or not it was enough for a person."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an output has passed on since the start."""

    sent: int | None
    """Messages handed to the network; None where the output does not count them."""
    dropped: int
    """Messages given up."""
    clients: int | None = None
    """How many are connected now; None where receivers do not connect."""
    connections: int | None = None
    """How many have connected since the start; None likewise."""


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


@runtime_checkable
class Counting(Protocol):
    """A sink that counts what it sends."""

    @property
    def traffic(self) -> Traffic:
        """What it has passed on so far; may be asked from any thread."""
        ...


def traffic_of(sink: Sink) -> Traffic:
    """Return what a sink has passed on so far, as far as it counts."""
    if isinstance(sink, Counting):
        return sink.traffic
    return Traffic(sent=None, dropped=sink.dropped)
