"""Recordings and takes made up for tests."""

from pathlib import Path

from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes.recording_info import RecordingInfo
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import Track
from tests.runtime.people import make_person, make_tick

INFO = RecordingInfo(
    body_model="pixie-body",
    body_model_sha256="ab" * 32,
    source="camera 0",
    setup={"engine": "ONNX Runtime"},
    created="2026-10-01T12:00:00+02:00",
    unix_time_at_zero_s=1_000_000.25,
)


def record(path: Path, count: int = 10, *, track_ids: tuple[int, ...] = (3,)) -> Path:
    """Record `count` frames of some people; return the path."""
    sink = TakeSink(path, INFO)
    for frame in range(count):
        people = [
            make_person(frame, track_id=track, frame_index=frame) for track in track_ids
        ]
        sink.send(make_tick(*people, frame_index=frame))
    sink.close()
    return path


def take_of(times_s: list[float], *, shape_seed: int = 3) -> Take:
    """Return a take with a frame of another pose at each of these times."""
    people = [
        make_person(i, frame_index=i, timestamp_s=time_s, shape_seed=shape_seed)
        for i, time_s in enumerate(times_s)
    ]
    return Track.of(people).take()
