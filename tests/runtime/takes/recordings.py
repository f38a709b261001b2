"""Recordings and takes made up for tests."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes.recording_info import RecordingInfo
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import Track
from pixie_runtime.types import Person
from tests.runtime.people import make_person, make_tick

INFO = RecordingInfo(
    body_model="pixie-body",
    body_model_sha256="ab" * 32,
    source="camera 0",
    setup={"engine": "ONNX Runtime"},
    created="2026-10-01T12:00:00+02:00",
    unix_time_at_zero_s=1_000_000.25,
)


_POSES = 12


@cache
def _pose(seed: int, shape_seed: int) -> Person:
    return make_person(seed, shape_seed=shape_seed)


def person_at(
    frame: int,
    *,
    time_s: float | None = None,
    track_id: int = 0,
    shape_seed: int = 0,
) -> Person:
    """Return the person of a frame: one of twelve poses, in turns."""
    return replace(
        _pose(frame % _POSES, shape_seed),
        track_id=track_id,
        frame_index=frame,
        timestamp_s=frame / 30 if time_s is None else time_s,
    )


def record(path: Path, count: int = 10, *, track_ids: tuple[int, ...] = (3,)) -> Path:
    """Record `count` frames of some people; return the path."""
    sink = TakeSink(path, INFO)
    for frame in range(count):
        people = [person_at(frame, track_id=track) for track in track_ids]
        sink.send(make_tick(*people, frame_index=frame))
    sink.close()
    return path


def take_of(times_s: list[float], *, shape_seed: int = 3) -> Take:
    """Return a take with a frame of another pose at each of these times."""
    people = [
        person_at(i, time_s=time_s, shape_seed=shape_seed)
        for i, time_s in enumerate(times_s)
    ]
    return Track.of(people).take()
