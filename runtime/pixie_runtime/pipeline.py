"""The one loop: frames in, people out, every stage stamped.

Each frame goes through all stages before the next one is asked for. Two frames in
flight would not pay: the landmark networks already use every core, so that a second
frame beside them only makes both late (`docs/architecture.md`). Of a file that nobody
waits for, frames wait before they are passed on (`look_ahead`).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, Self

from pixie_runtime.landmarks import PeopleLandmarker, Sighting
from pixie_runtime.look_ahead import LookAhead, Processed
from pixie_runtime.per_track import PerTrack
from pixie_runtime.report import Durations, RunReport
from pixie_runtime.sinks import Sink, Tick, Traffic
from pixie_runtime.sinks.fanout import Fanout
from pixie_runtime.sources import FrameSource
from pixie_runtime.types import Camera, Frame, Person, PersonLandmarks, StageTimes

_STAGES = ("landmarks", "estimate", "smooth", "send")
"""In the order in which a frame passes them."""


class Estimator(Protocol):
    """Turns what was seen of one person into body parameters."""

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        """Return the person, or None where too little was seen.

        Also asked where `landmarks` are empty: some estimators look at the picture.
        """
        ...

    @property
    def warning(self) -> str | None:
        """What the user should know about the results, one sentence."""
        ...

    def reset(self) -> None:
        """Forget the person: the next frame has nothing to do with the last."""
        ...

    def for_another_person(self) -> "Estimator":
        """Return an estimator that runs the same network and knows of nobody yet.

        Closing this one ends that one too.
        """
        ...

    def close(self) -> None:
        """Free what the network holds."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """One frame done: what a status line is told."""

    tick: Tick
    latency_ms: float
    """From grabbing the frame to having sent it."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What was lost since the start, and why."""

    frames_dropped: int
    """Frames that the source overwrote or skipped."""
    outputs: Mapping[str, Traffic]
    """What each sink passed on and gave up, by its name."""
    warnings: tuple[str, ...]
    """What the user should know, one sentence each."""


class Pipeline:
    """Source, landmarker, estimator, smoothing and sinks in a row.

    A context manager: leaving it closes every part, the sinks first, so that whatever
    was sent is written even if the rest cannot be closed.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        landmarker: PeopleLandmarker,
        estimator: Estimator,
        sinks: Iterable[Sink],
        smooth: Callable[[Person], Person] | None = None,
        look_ahead: LookAhead | None = None,
        field_of_view: float = 60.0,
        unrelated: bool = False,
        setup: Mapping[str, str] | None = None,
    ) -> None:
        """Join the parts; nothing runs yet.

        Args:
            source: Where frames come from.
            landmarker: Finds people.
            estimator: Makes parameters of what was found, for each by one of its own.
            sinks: Where people go.
            smooth: Makes a steady stream of each person's parameters.
            look_ahead: Does so with knowledge of the frames that follow, in place of
                `smooth`, where the source can wait.
            field_of_view: Degrees along the longer side of the picture.
            unrelated: Whether each frame is looked at as if it were the only one.
            setup: What runs, by name and in words, for the report.
        """
        self._source = source
        self._landmarker = landmarker
        self._estimator = estimator
        self._estimators = PerTrack(estimator.for_another_person)
        self._sinks = Fanout(sinks)
        self._smooth = smooth
        self._look_ahead = look_ahead
        self._field_of_view = field_of_view
        self._unrelated = unrelated
        self.setup: Mapping[str, str] = dict(setup or {})
        """What runs, by name and in words."""
        self._camera = Camera(1.0, (0.5, 0.5), (1, 1))
        self._warned: tuple[str, ...] = ()
        self._frames = self._people_frames = 0
        self._first_ns = self._last_ns = 0
        self._latency = Durations()
        self._stages: dict[str, Durations] = {}

    def run(
        self,
        *,
        max_frames: int | None = None,
        observe: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """Process frames until the source ends or `max_frames` are done.

        Raises:
            SourceError: the source failed in a way that ends it.
            SinkError: no sink is left that can take anything.
        """
        try:
            for frame in islice(self._source, max_frames):
                self._first_ns = self._first_ns or time.monotonic_ns()
                for processed in self._smoothed(self._process(frame)):
                    self._pass_on(processed, observe)
        finally:
            if self._look_ahead is not None:
                for processed in self._look_ahead.rest():
                    self._pass_on(processed, observe)

    @property
    def greetings(self) -> tuple[str, ...]:
        """What the sinks have to say at the beginning, one line each."""
        return self._sinks.greetings

    def losses(self) -> Losses:
        """Return what was lost so far; may be asked from any thread."""
        return Losses(
            frames_dropped=self._source.dropped,
            outputs=self._sinks.traffic,
            warnings=self._warnings(),
        )

    def report(self) -> RunReport:
        """Return what has happened so far."""
        losses = self.losses()
        return RunReport(
            source=self._source.description,
            frames=self._frames,
            people_frames=self._people_frames,
            source_dropped=losses.frames_dropped,
            seconds=round((self._last_ns - self._first_ns) / 1e9, 3),
            latency_ms=self._latency.spread(),
            stages_ms={
                name: self._stages[name].spread()
                for name in _STAGES
                if name in self._stages
            },
            outputs=losses.outputs,
            warnings=losses.warnings,
            setup=self.setup,
            summaries=self._sinks.summaries,
        )

    def close(self) -> None:
        """Close every part, each of them whatever happens to the others.

        Raises:
            SinkError: some output failed, now or earlier.
        """
        self._warned = self._warnings()
        with ExitStack() as stack:
            stack.callback(self._estimator.close)
            stack.callback(self._landmarker.close)
            stack.callback(self._source.close)
            stack.callback(self._sinks.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _pass_on(
        self, processed: Processed, observe: Callable[[Progress], None]
    ) -> None:
        tick, times = processed.tick, processed.times
        self._sinks.send(tick)
        self._last_ns = time.monotonic_ns()
        self._count(tick.people, times)
        observe(Progress(tick, (self._last_ns - times.grabbed_ns) / 1e6))

    def _smoothed(self, processed: Processed) -> Iterator[Processed]:
        """Yield the frames that are ready to be passed on, smoothed."""
        if self._look_ahead is not None:
            yield from self._look_ahead.add(processed)
            return
        tick, times = processed.tick, processed.times
        if self._smooth is not None and tick.people:
            people = tuple(self._smooth(person) for person in tick.people)
            times = replace(times, smoothed_ns=time.monotonic_ns())
            people = tuple(replace(person, times=times) for person in people)
            tick = replace(tick, people=people)
        yield Processed(tick, times)

    def _process(self, frame: Frame) -> Processed:
        if self._unrelated:
            self._landmarker.reset()
            self._estimators.clear()
        sightings = self._landmarker.detect_people(frame)
        times = replace(StageTimes(frame.grabbed_ns), landmarks_ns=time.monotonic_ns())
        estimates = [(one.landmarks, self._estimate(one, frame)) for one in sightings]
        landmarks = tuple(
            found
            for found, person in estimates
            if person is not None or not found.is_empty
        )
        if not landmarks:
            return Processed(Tick(frame, ()), times)
        times = replace(times, estimated_ns=time.monotonic_ns())
        people = tuple(
            replace(person, times=times) for _, person in estimates if person
        )
        return Processed(Tick(frame, people, landmarks), times)

    def _estimate(self, sighting: Sighting, frame: Frame) -> Person | None:
        number = sighting.track_id
        estimator = self._estimators.of(number, frame.timestamp_s)
        camera = self._camera_of(frame)
        person = estimator.estimate(sighting.landmarks, frame, camera)
        return None if person is None else replace(person, track_id=number)

    def _warnings(self) -> tuple[str, ...]:
        parts = (self._source.warning, self._estimator.warning)
        now = (*(warning for warning in parts if warning), *self._sinks.warnings)
        return tuple(dict.fromkeys((*self._warned, *now)))

    def _camera_of(self, frame: Frame) -> Camera:
        height, width = frame.image.shape[:2]
        if self._camera.size_px != (width, height):
            self._camera = Camera.with_field_of_view(width, height, self._field_of_view)
        return self._camera

    def _count(self, people: tuple[Person, ...], times: StageTimes) -> None:
        self._frames += 1
        self._people_frames += bool(people)
        self._latency.add((self._last_ns - times.grabbed_ns) / 1e6)
        done_ns = times.smoothed_ns or times.estimated_ns or times.landmarks_ns
        stages = {**times.milliseconds(), "send": (self._last_ns - done_ns) / 1e6}
        for name, milliseconds in stages.items():
            self._stages.setdefault(name, Durations()).add(milliseconds)
