"""Frames that wait until it is known what comes after them."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pixie_runtime.sinks import Tick
from pixie_runtime.smoothing.hindsight import LOOK_AHEAD_S, HindsightSmoother
from pixie_runtime.types import Person, StageTimes

MOST_BYTES = 256_000_000
"""Of pictures that wait: more do not, and less is known of what comes after them. Ten
pictures in 4K."""


@dataclass(frozen=True, slots=True)
class Processed:
    """A frame that has passed the stages, and when it passed each."""

    tick: Tick
    times: StageTimes


class LookAhead:
    """Smooths people with knowledge of the frames that follow, which wait meanwhile.

    Every frame comes out once, in order, with its own person and timestamp. The time
    that it waited is taken out of its stamps, as if it had been grabbed later by so
    much: the source has waited too, and nothing is late because of it.

    Args:
        smoother: Of the people in the frames.
        most_bytes: Pictures of more than that, together, do not wait.
    """

    def __init__(
        self, smoother: HindsightSmoother, *, most_bytes: int = MOST_BYTES
    ) -> None:
        self._smoother = smoother
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[tuple[Processed, int]] = deque()
        """Frames, and when each began to wait, `time.monotonic_ns()`."""

    def add(self, processed: Processed) -> Iterator[Processed]:
        """Let a frame wait; yield those that have waited long enough."""
        tick = processed.tick
        for person in tick.people:
            self._smoother.add(person)
        self._waiting.append((processed, time.monotonic_ns()))
        self._bytes += tick.frame.image.nbytes
        known_until_s = tick.frame.timestamp_s - LOOK_AHEAD_S
        while self._waiting and (
            self._bytes > self._most_bytes
            or self._waiting[0][0].tick.frame.timestamp_s <= known_until_s
        ):
            yield self._next()

    def rest(self) -> Iterator[Processed]:
        """Yield those that wait: nothing follows them."""
        while self._waiting:
            yield self._next()

    def _next(self) -> Processed:
        (processed, since_ns), now_ns = self._waiting.popleft(), time.monotonic_ns()
        tick, waited_ns = processed.tick, now_ns - since_ns
        self._bytes -= tick.frame.image.nbytes
        times = processed.times.later(waited_ns)
        grabbed_ns = tick.frame.grabbed_ns + waited_ns
        people: tuple[Person, ...] = ()
        if tick.people:
            people = tuple(self._smoother.take() for _ in tick.people)
            times = replace(times, smoothed_ns=time.monotonic_ns())
            people = tuple(replace(person, times=times) for person in people)
        frame = replace(tick.frame, grabbed_ns=grabbed_ns)
        return Processed(replace(tick, frame=frame, people=people), times)
