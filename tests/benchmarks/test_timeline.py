import json
from pathlib import Path

import pytest

from pixie_bench.chain_trace import chain_tracks, timed_pipeline
from pixie_bench.timeline import trace_events, write_trace
from pixie_bench.timing import Clock, Run
from pixie_runtime.assembly import open_pipeline, open_source
from pixie_runtime.engines import choosing
from pixie_runtime.errors import SinkError
from pixie_runtime.options import Options
from tests.runtime.image_bundle import write_image_bundle

US = 1_000


def test_events_are_complete_and_in_microseconds_since_the_first() -> None:
    runs = (Run("body", 5_000 * US, 5_100 * US), Run("head", 5_100 * US, 5_130 * US))
    contents = trace_events({"networks": runs})
    events = [event for event in contents["traceEvents"] if event["ph"] == "X"]
    assert [(e["name"], e["ts"], e["dur"]) for e in events] == [
        ("body", 0.0, 100.0),
        ("head", 100.0, 30.0),
    ]
    assert len({(e["pid"], e["tid"]) for e in events}) == 1


def test_every_track_has_its_name() -> None:
    contents = trace_events({"frames": (Run("a", 0, 1),), "stages": (Run("b", 0, 1),)})
    named = {
        event["tid"]: event["args"]["name"]
        for event in contents["traceEvents"]
        if event["name"] == "thread_name"
    }
    used = {e["name"]: named[e["tid"]] for e in contents["traceEvents"] if "ts" in e}
    assert used == {"a": "frames", "b": "stages"}


def test_nothing_is_a_valid_file() -> None:
    assert not [e for e in trace_events({})["traceEvents"] if "ts" in e]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        write_trace(tmp_path / "nowhere" / "trace.json", trace_events({}))


def test_the_chain_is_traced_frame_by_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "multiplies_bytes", lambda: True)
    options = Options(demo=True, as_fast_as_possible=True, engine="onnxruntime")
    tracks = chain_tracks(options, frames=3, warm_up=1)
    path = tmp_path / "trace.json"
    write_trace(path, trace_events(tracks))

    events = json.loads(path.read_text())["traceEvents"]
    assert all(event.keys() >= {"name", "ph", "pid"} for event in events)
    complete = [event for event in events if event["ph"] == "X"]
    assert min(event["ts"] for event in complete) == 0
    assert all(event["dur"] >= 0 for event in complete)
    frames, stages, networks = tracks.values()
    assert len(frames) == 3
    assert [s.name for s in stages] == ["landmarks", "estimate", "smooth", "send"] * 3
    names = {run.name for run in networks}
    assert names >= {"pose_landmark_full", "hand_landmark_int8"}
    for frame, first in zip(frames, stages[::4], strict=True):
        inside = [n for n in networks if first.began_ns <= n.began_ns < frame.ended_ns]
        assert inside, "every frame runs networks"
        assert all(n.ended_ns <= frame.ended_ns for n in inside)


def test_the_traced_chain_is_what_users_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On every processor, so that the landmarks' arithmetic differs from the network's.
    monkeypatch.setattr(choosing, "multiplies_bytes", lambda: True)
    write_image_bundle(tmp_path / "bundle")
    options = Options(
        demo=True,
        as_fast_as_possible=True,
        bundle=tmp_path / "bundle",
        engine="onnxruntime",
        rates="landmarks=4",
    )
    clock = Clock()
    with timed_pipeline(options, clock) as traced:
        with open_pipeline(options, open_source(options)) as program:
            assert traced.setup == program.setup
        assert "int8" in traced.setup["landmarks"]
        assert "int8" not in traced.setup["engine"]
        traced.run(max_frames=8)
    names = [run.name for run in clock.take()]
    assert names.count("pose_landmark_full") == 2, "in every fourth frame"
    assert names.count("body") == 8
