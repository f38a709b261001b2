"""Frames that wait until it is known what comes after them."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pixie_runtime.per_track import PerTrack
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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A frame that waits."""

    processed: Processed
    smoothers: tuple[HindsightSmoother, ...]
    """Of its people, in their order."""
    since_ns: int
    """When it began to wait, `time.monotonic_ns()`."""


class LookAhead:
    """Smooths people with knowledge of the frames that follow, which wait meanwhile.

    Every frame comes out once, in order, with its own person and timestamp. The time
    that it waited is taken out of its stamps, as if it had been grabbed later by so
    much: the source has waited too, and nothing is late because of it.

    Args:
        smoother: Makes what smooths one person.
        most_bytes: Pictures of more than that, together, do not wait.
    """

    def __init__(
        self, smoother: Callable[[], HindsightSmoother], *, most_bytes: int = MOST_BYTES
    ) -> None:
        self._smoothers = PerTrack(smoother)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[_Waiting] = deque()

    def add(self, processed: Processed) -> Iterator[Processed]:
        """Let a frame wait; yield those that have waited long enough."""
        tick = processed.tick
        smoothers = []
        for person in tick.people:
            smoother = self._smoothers.of(person.track_id, tick.frame.timestamp_s)
            smoother.add(person)
            smoothers.append(smoother)
        waiting = _Waiting(processed, tuple(smoothers), time.monotonic_ns())
        self._waiting.append(waiting)
        self._bytes += tick.frame.image.nbytes
        known_until_s = tick.frame.timestamp_s - LOOK_AHEAD_S
        while self._waiting and (
            self._bytes > self._most_bytes
            or self._waiting[0].processed.tick.frame.timestamp_s <= known_until_s
        ):
            yield self._next()

    def rest(self) -> Iterator[Processed]:
        """Yield those that wait: nothing follows them."""
        while self._waiting:
            yield self._next()

    def _next(self) -> Processed:
        waiting, now_ns = self._waiting.popleft(), time.monotonic_ns()
        processed, waited_ns = waiting.processed, now_ns - waiting.since_ns
        tick = processed.tick
        self._bytes -= tick.frame.image.nbytes
        times = processed.times.later(waited_ns)
        grabbed_ns = tick.frame.grabbed_ns + waited_ns
        people: tuple[Person, ...] = ()
        if tick.people:
            people = tuple(smoother.take() for smoother in waiting.smoothers)
            times = replace(times, smoothed_ns=time.monotonic_ns())
            people = tuple(replace(person, times=times) for person in people)
        frame = replace(tick.frame, grabbed_ns=grabbed_ns)
        return Processed(replace(tick, frame=frame, people=people), times)
