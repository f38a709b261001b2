"""Plays recordings to whatever takes people live."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pixie_runtime.sinks import Tick
from pixie_runtime.takes.recording import Recording
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Frame, Person, StageTimes

_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of a recording: who was where."""

    time_s: float
    """From the first frame on."""
    people: tuple[tuple[Take, int], ...]
    """Each person's take and the row in it."""

    def tick(self, *, time_s: float, frame_index: int) -> Tick:
        """Return what was passed on then, as if it happened now."""
        now_ns = time.monotonic_ns()

        def again(person: Person) -> Person:
            return replace(
                person,
                frame_index=frame_index,
                timestamp_s=time_s,
                times=StageTimes(now_ns),
            )

        frame = Frame(frame_index, time_s, now_ns, _NO_PICTURE)
        people = tuple(again(take.person(row)) for take, row in self.people)
        return Tick(frame, people)


def moments(recording: Recording, change: Callable[[Take], Take]) -> list[Moment]:
    """Return a recording's frames in order of time, at least one.

    Args:
        recording: Somebody has to be in it.
        change: Made of each person's take before it is played, such as smoothing.
    """
    seen: dict[float, list[tuple[Take, int]]] = {}
    for track in recording.people.values():
        take = change(track.take())
        for row, time_s in enumerate(take.timestamps_s.tolist()):
            seen.setdefault(time_s, []).append((take, row))
    for time_s in recording.nobody_s.tolist():
        seen.setdefault(time_s, [])
    first_s = min(seen)
    return [
        Moment(time_s - first_s, tuple(people))
        for time_s, people in sorted(seen.items(), key=lambda entry: entry[0])
    ]


def ticks(played: list[Moment], *, speed: float, loop: bool) -> Iterator[Tick]:
    """Yield ticks when they are due; times are those of the stream that results.

    Args:
        played: What to play.
        speed: 1 for as it was recorded; a receiver of a stream at 2 sees motion twice
            as fast, with timestamps that agree.
        loop: Whether to begin again, a frame's time after the end.
    """
    begun_s, played_s, index = time.monotonic(), 0.0, 0
    pause_s = _step_s(played)
    while True:
        for moment in played:
            at_s = played_s + moment.time_s / speed
            time.sleep(max(0.0, begun_s + at_s - time.monotonic()))
            yield moment.tick(time_s=at_s, frame_index=index)
            index += 1
        played_s += (played[-1].time_s + pause_s) / speed
        if not loop:
            return


def _step_s(played: list[Moment]) -> float:
    """Return the usual time between two frames."""
    steps = np.diff([moment.time_s for moment in played])
    return float(np.median(steps)) if len(steps) else 1 / 30
