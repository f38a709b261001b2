"""Frames that wait until it is known what comes next: none is lost, none overtakes."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.assembly import open_pipeline, open_source
from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import SourceError
from pixie_runtime.interrupts import InterruptibleSource
from pixie_runtime.landmarks import Sighting
from pixie_runtime.look_ahead import LookAhead
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Pipeline, Progress
from pixie_runtime.smoothing.hindsight import LOOK_AHEAD_S, HindsightSmoother
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.types import Camera, Frame, Person, PersonLandmarks
from tests.runtime.people import make_person
from tests.runtime.stages import FACE, Collector, Finder, Guesser, Pictures

VGA = (480, 640)
WAIT = 5
"""Frames of `Pictures`, 30 a second, that come until one has waited long enough."""


class Walker(Guesser):
    """An estimator of somebody who is one centimetre further right in every frame."""

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        if landmarks.is_empty:
            return None
        person = make_person(frame_index=frame.index, n_betas=10, n_expression=10)
        transl = np.array([0.01 * frame.index, 0, 3], np.float32)
        params = replace(person.params, transl=transl)
        sure = replace(person.confidence, body=1.0)
        return replace(
            person, params=params, confidence=sure, timestamp_s=frame.timestamp_s
        )


def pipeline_of(
    source: Pictures | InterruptibleSource,
    found: list[bool],
    sink: Collector,
    **options: int,
) -> Pipeline:
    model = embedded_body_model()
    return Pipeline(
        source=source,
        landmarker=Finder(found),
        estimator=Walker(),
        sinks=[sink],
        look_ahead=LookAhead(lambda: HindsightSmoother(model), **options),
    )


def assert_whole(sink: Collector, found: list[bool]) -> None:
    """Every frame is there once, in order, with its own person where it had one."""
    assert [tick.frame.index for tick in sink.ticks] == list(range(len(found)))
    assert [bool(tick.people) for tick in sink.ticks] == found
    first = found.index(True)
    for tick in sink.ticks:
        for person in tick.people:
            assert person.frame_index == tick.frame.index
            assert person.timestamp_s == tick.frame.timestamp_s
            moved = person.joints[0] - sink.ticks[first].people[0].joints[0]
            steps = tick.frame.index - first
            np.testing.assert_allclose(moved, (0.01 * steps, 0, 0), atol=1e-5)


@pytest.mark.parametrize("limit", [None, 1, 3, 12])
def test_every_frame_comes_out_once_in_order_with_its_own_person(
    limit: int | None,
) -> None:
    found = ([True] * 4 + [False] * 2 + [True] * 4 + [False] * 5)[:limit]
    sink = Collector()
    pipeline_of(Pictures([VGA] * 15), found + [True] * 15, sink).run(max_frames=limit)
    assert_whole(sink, found)


class Counted(Pictures):
    """Pictures that count how many frames wait, after each."""

    def __init__(self, count: int, sink: Collector) -> None:
        super().__init__([VGA] * count)
        self.sink = sink
        self.waiting: list[int] = []

    def __iter__(self) -> Iterator[Frame]:
        for frame in super().__iter__():
            yield frame
            self.waiting.append(frame.index + 1 - len(self.sink.ticks))


def test_a_frame_waits_for_what_comes_next_and_no_longer() -> None:
    sink = Collector()
    source = Counted(12, sink)
    pipeline_of(source, [True] * 12, sink).run()
    assert source.waiting == [*range(1, WAIT + 1), *[WAIT] * (12 - WAIT)]
    assert (WAIT - 1) / 30 < LOOK_AHEAD_S <= WAIT / 30


def test_pictures_that_are_too_large_together_wait_less() -> None:
    sink, found = Collector(), [True] * 8
    source = Counted(8, sink)
    two_pictures = 2 * VGA[0] * VGA[1] * 3
    pipeline_of(source, found, sink, most_bytes=two_pictures).run()
    assert max(source.waiting) == 2
    assert_whole(sink, found)


def test_a_source_that_breaks_loses_nothing_that_waited() -> None:
    sink = Collector()
    pipeline = pipeline_of(Pictures([VGA] * 9, breaks_after=7), [True] * 9, sink)
    with pytest.raises(SourceError, match="on fire"):
        pipeline.run()
    assert_whole(sink, [True] * 7)
    assert pipeline.report().frames == 7


def test_a_signal_loses_nothing_that_waited() -> None:
    sink = Collector()

    class Interrupted(Pictures):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                if frame.index == 8:
                    os.kill(os.getpid(), signal.SIGINT)
                yield frame

    with InterruptibleSource(Interrupted([VGA] * 20)) as source:
        pipeline_of(source, [True] * 20, sink).run()
        assert source.interrupted
    assert 8 <= len(sink.ticks) <= 9
    assert_whole(sink, [True] * len(sink.ticks))


def test_what_a_frame_waited_is_no_latency_and_no_stage() -> None:
    class Slow(Pictures):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                time.sleep(0.03)
                yield replace(frame, grabbed_ns=time.monotonic_ns())

    sink, latencies_ms = Collector(), []

    def observe(progress: Progress) -> None:
        latencies_ms.append(progress.latency_ms)

    pipeline = pipeline_of(Slow([VGA] * 8), [True] * 7 + [False], sink)
    pipeline.run(observe=observe)
    report = pipeline.report()
    assert list(report.stages_ms) == ["landmarks", "estimate", "smooth", "send"]
    # Each frame waits for 150 ms or more; the work on one takes a few.
    assert np.median(latencies_ms) < 60
    assert report.latency_ms.p50 < 60
    assert report.stages_ms["smooth"].p50 < 60
    for tick in sink.ticks:
        for person in tick.people:
            assert person.times.grabbed_ns == tick.frame.grabbed_ns
            marks = person.times
            assert marks.grabbed_ns <= marks.estimated_ns <= marks.smoothed_ns


VIDEO, TAKE = Path("clip.mp4"), Path("take.npz")


@pytest.mark.parametrize(
    ("options", "looks"),
    [
        (Options(video=VIDEO, record=TAKE), True),
        (Options(demo=True, overlay=Path("over.mp4")), True),
        (Options(demo=True).with_demo_outputs(), True),
        (Options(video=VIDEO), False),
        (Options(video=VIDEO, record=TAKE, realtime=True), False),
        (Options(video=VIDEO, record=TAKE, view="8700"), False),
        (
            Options(video=VIDEO, record=TAKE, view="8700", as_fast_as_possible=True),
            False,
        ),
        (Options(video=VIDEO, record=TAKE, preview=True), False),
        (
            Options(
                video=VIDEO,
                record=TAKE,
                as_fast_as_possible=True,
                streaming=StreamOptions(osc=("127.0.0.1:9000",)),
            ),
            False,
        ),
        (Options(camera="0", record=TAKE), False),
        (Options(images=Path("pictures"), record=TAKE), False),
    ],
)
def test_only_files_that_nobody_watches_wait(options: Options, looks: bool) -> None:
    assert options.looks_ahead == looks


def test_the_person_of_a_frame_is_drawn_over_that_frame_s_picture(
    tmp_path: Path,
) -> None:
    options = Options(demo=True, record=tmp_path / "take.mcap")
    ticks = []
    with open_pipeline(options, open_source(options)) as pipeline:
        pipeline.run(max_frames=8, observe=lambda done: ticks.append(done.tick))
    pictures = open_source(options)
    for tick, frame in zip(ticks, islice(pictures, 8), strict=True):
        np.testing.assert_array_equal(tick.frame.image, frame.image)
        assert tick.frame.timestamp_s == frame.timestamp_s
        (person,) = tick.people
        assert person.frame_index == frame.index
        # The middle of the hips lies between the landmarks of both, hardly moved.
        (landmarks,) = tick.landmarks
        assert landmarks.pose is not None
        hips = landmarks.pose.image[[23, 24], :2].mean(axis=0)
        drawn = person.camera.project(person.joints[[1, 2]]).mean(axis=0)
        assert np.linalg.norm(drawn - hips) < 15
    pictures.close()


class Two:
    """A landmarker of two people; the second is there in some frames only."""

    def __init__(self, second: list[bool]) -> None:
        self.second = second

    def detect_people(self, frame: Frame) -> tuple[Sighting, ...]:
        first = Sighting(0, FACE)
        return (first, Sighting(1, FACE)) if self.second[frame.index] else (first,)

    def reset(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("seconds_a_frame", [1 / 30, 20.0])
def test_each_of_two_people_comes_out_with_their_own_frames(
    seconds_a_frame: float,
) -> None:
    """Also where the second has long gone while their last frame still waits."""
    second = [True, True, False, True, False, False, True, False]

    class Slow(Pictures):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                yield replace(frame, timestamp_s=frame.index * seconds_a_frame)

    model, sink = embedded_body_model(), Collector()
    Pipeline(
        source=Slow([VGA] * len(second)),
        landmarker=Two(second),
        estimator=Walker(),
        sinks=[sink],
        look_ahead=LookAhead(lambda: HindsightSmoother(model)),
    ).run()
    assert [tick.frame.index for tick in sink.ticks] == list(range(len(second)))
    for tick, both in zip(sink.ticks, second, strict=True):
        assert [one.track_id for one in tick.people] == ([0, 1] if both else [0])
        assert all(one.timestamp_s == tick.frame.timestamp_s for one in tick.people)
