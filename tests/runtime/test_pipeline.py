from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.pipeline import Pipeline, Progress
from pixie_runtime.sinks import Traffic
from pixie_runtime.types import Camera, Frame, Person, PersonLandmarks
from tests.runtime.people import make_person
from tests.runtime.stages import FACE, Collector, Finder, Guesser, Pictures

VGA = (480, 640)


def shifted(person: Person) -> Person:
    params = replace(person.params, transl=person.params.transl + np.float32(1))
    return person.with_params(params, person.joints + np.float32(1))


def test_every_frame_reaches_the_sink_in_order_with_its_person() -> None:
    sink = Collector()
    with Pipeline(
        source=Pictures([VGA] * 4),
        landmarker=Finder([True] * 4),
        estimator=Guesser(),
        sinks=[sink],
    ) as pipeline:
        pipeline.run()

    assert [tick.frame.index for tick in sink.ticks] == [0, 1, 2, 3]
    assert [p.frame_index for tick in sink.ticks for p in tick.people] == [0, 1, 2, 3]
    assert [tick.landmarks for tick in sink.ticks] == [(FACE,)] * 4


def test_a_frame_with_nobody_is_sent_without_people() -> None:
    sink, estimator = Collector(), Guesser()
    pipeline = Pipeline(
        source=Pictures([VGA] * 3),
        landmarker=Finder([True, False, True]),
        estimator=estimator,
        sinks=[sink],
    )
    pipeline.run()

    assert [len(tick.people) for tick in sink.ticks] == [1, 0, 1]
    assert [len(tick.landmarks) for tick in sink.ticks] == [1, 0, 1]
    assert len(estimator.cameras) == 2
    assert pipeline.report().frames == 3
    assert pipeline.report().people_frames == 2


def test_stages_are_told_in_their_order_whatever_the_first_frame_lacked() -> None:
    pipeline = Pipeline(
        source=Pictures([VGA] * 2),
        landmarker=Finder([False, True]),
        estimator=Guesser(),
        sinks=[Collector()],
        smooth=lambda person: person,
    )
    pipeline.run()

    stages = list(pipeline.report().stages_ms)
    assert stages == ["landmarks", "estimate", "smooth", "send"]


def test_an_estimator_that_needs_no_landmarks_is_asked_without_any() -> None:
    class Looker(Guesser):
        def estimate(
            self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
        ) -> Person | None:
            return make_person(frame_index=frame.index)

    sink = Collector()
    Pipeline(
        source=Pictures([VGA]),
        landmarker=Finder([False]),
        estimator=Looker(),
        sinks=[sink],
    ).run()
    ((person,),) = (tick.people for tick in sink.ticks)
    assert person.times.estimated_ns > 0


@pytest.mark.parametrize(
    ("unrelated", "resets", "persons"), [(False, 0, 1), (True, 3, 3)]
)
def test_unrelated_pictures_are_each_looked_at_afresh(
    unrelated: bool, resets: int, persons: int
) -> None:
    landmarker, estimator = Finder([True] * 3), Guesser()
    Pipeline(
        source=Pictures([VGA] * 3),
        landmarker=landmarker,
        estimator=estimator,
        sinks=[],
        unrelated=unrelated,
    ).run()
    assert (landmarker.resets, estimator.persons) == (resets, persons)


def test_the_report_says_what_ran_and_what_the_sinks_made() -> None:
    class Writer(Collector):
        summary = "3 files in a folder"

    report = Pipeline(
        source=Pictures([VGA]),
        landmarker=Finder([True]),
        estimator=Guesser(),
        sinks=[Collector(), Writer()],
        setup={"bundle": "tiny", "attention": "two-pass"},
    ).report()
    assert report.setup == {"bundle": "tiny", "attention": "two-pass"}
    assert report.summaries == ("3 files in a folder",)


def test_every_stage_stamps_the_person_in_the_order_of_the_stages() -> None:
    sink = Collector()
    Pipeline(
        source=Pictures([VGA]),
        landmarker=Finder([True]),
        estimator=Guesser(),
        sinks=[sink],
        smooth=shifted,
    ).run()

    ((person,),) = (tick.people for tick in sink.ticks)
    times = person.times
    assert times.grabbed_ns == sink.ticks[0].frame.grabbed_ns
    assert (
        times.grabbed_ns
        <= times.landmarks_ns
        <= times.estimated_ns
        <= times.smoothed_ns
    )
    assert list(times.milliseconds()) == ["landmarks", "estimate", "smooth"]


def test_smoothing_is_applied_where_it_is_wanted() -> None:
    plain, smooth = Collector(), Collector()
    for sink, step in ((plain, None), (smooth, shifted)):
        Pipeline(
            source=Pictures([VGA]),
            landmarker=Finder([True]),
            estimator=Guesser(),
            sinks=[sink],
            smooth=step,
        ).run()

    before, after = plain.ticks[0].people[0], smooth.ticks[0].people[0]
    np.testing.assert_allclose(after.joints, before.joints + 1, rtol=1e-6)
    assert before.times.smoothed_ns == 0


def test_the_camera_follows_the_size_of_the_picture() -> None:
    estimator = Guesser()
    Pipeline(
        source=Pictures([(480, 640), (480, 640), (1, 1)]),
        landmarker=Finder([True] * 3),
        estimator=estimator,
        sinks=[Collector()],
        field_of_view=90.0,
    ).run()

    first, second, third = estimator.cameras
    assert first is second
    assert (first.size_px, third.size_px) == ((640, 480), (1, 1))
    assert first.focal_px == pytest.approx(320.0)
    assert third.focal_px == pytest.approx(0.5)


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 1), (3, 3), (9, 5)])
def test_max_frames_limits_the_run(limit: int, expected: int) -> None:
    pipeline = Pipeline(
        source=Pictures([VGA] * 5),
        landmarker=Finder([True] * 5),
        estimator=Guesser(),
        sinks=[Collector()],
    )
    pipeline.run(max_frames=limit)
    assert pipeline.report().frames == expected


def test_the_observer_sees_each_frame_after_it_was_sent() -> None:
    sink = Collector()
    seen: list[tuple[int, int]] = []

    def observe(progress: Progress) -> None:
        seen.append((progress.tick.frame.index, len(sink.ticks)))
        assert progress.latency_ms >= 0

    Pipeline(
        source=Pictures([VGA] * 3),
        landmarker=Finder([True] * 3),
        estimator=Guesser(),
        sinks=[sink],
    ).run(observe=observe)
    assert seen == [(0, 1), (1, 2), (2, 3)]


def test_what_was_done_before_the_source_broke_is_in_the_report() -> None:
    source = Pictures([VGA] * 5, breaks_after=3)
    pipeline = Pipeline(
        source=source,
        landmarker=Finder([True] * 5),
        estimator=Guesser(),
        sinks=[Collector()],
    )
    with pytest.raises(SourceError, match="on fire"):
        pipeline.run()
    assert pipeline.report().frames == 3


def test_closing_closes_every_part_even_if_one_refuses() -> None:
    class Stubborn(Collector):
        def close(self) -> None:
            raise SinkError("the disk is full")

    source, landmarker, estimator = Pictures([VGA]), Finder([True]), Guesser()
    pipeline = Pipeline(
        source=source, landmarker=landmarker, estimator=estimator, sinks=[Stubborn()]
    )
    with pytest.raises(SinkError, match="disk is full"):
        pipeline.close()
    assert source.closed
    assert landmarker.closed
    assert estimator.closed


def test_warnings_and_drops_of_all_parts_are_reported() -> None:
    source, sink = Pictures([VGA]), Collector()
    source.warning, source.dropped, sink.dropped = "the clip is short", 7, 2
    estimator = Guesser()
    estimator.warning = "the body is another"
    report = Pipeline(
        source=source, landmarker=Finder([True]), estimator=estimator, sinks=[sink]
    ).report()

    assert report.warnings == ("the clip is short", "the body is another")
    assert report.source_dropped == 7
    assert report.outputs == {"collector": Traffic(sent=None, dropped=2)}
    assert (report.fps, report.latency_ms.max) == (0.0, 0.0)
