import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.errors import MissingExtraError, SinkError, UsageError
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import load_take
from pixie_runtime.takes.recording import read_recording
from tests.runtime.full_disk import file_size_limit
from tests.runtime.people import make_person, make_tick
from tests.runtime.takes.recordings import record

EVALUATION = Path(__file__).parents[4] / "shared" / "eval"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def send_frames(sink: Sink, count: int) -> None:
    for frame in range(count):
        sink.send(make_tick(make_person(frame, frame_index=frame)))


@pytest.mark.parametrize("name", ["take.mcap", "take", "TAKE.MCAP"])
def test_recording_is_the_container_and_nothing_else(tmp_path: Path, name: str) -> None:
    sink = TakeSink(tmp_path / name)
    as_sink: Sink = sink
    send_frames(as_sink, 5)
    as_sink.close()
    as_sink.close()
    assert names(tmp_path) == [name]
    assert sink.takes == (tmp_path / name,)
    assert sink.frames == 5
    assert sink.summary == ""
    assert load_take(tmp_path / name).frames.tolist() == [0, 1, 2, 3, 4]


def test_other_file_is_made_of_the_recording_which_stays(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    send_frames(sink, 5)
    sink.close()
    assert names(tmp_path) == ["take.mcap", "take.npz"]
    assert sink.takes == (tmp_path / "take.mcap", tmp_path / "take.npz")
    assert sink.summary == (
        f"recording: {tmp_path / 'take.mcap'}, {tmp_path / 'take.npz'} made of it at "
        "30 fps"
    )
    assert load_take(tmp_path / "take.npz").frames.tolist() == [0, 1, 2, 3, 4]


def test_frames_without_anybody_are_known(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.mcap")
    for frame in range(9):
        people = [] if 3 <= frame < 6 else [make_person(frame, frame_index=frame)]
        sink.send(make_tick(*people, frame_index=frame))
    sink.close()
    recording = read_recording(tmp_path / "take.mcap")
    assert recording.track().frames.tolist() == [0, 1, 2, 6, 7, 8]
    assert recording.nobody_s.round(6).tolist() == [0.1, 0.133333, 0.166667]


def test_the_one_seen_longest_is_the_take_and_others_lie_beside_it(
    tmp_path: Path,
) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    for frame in range(6):
        people = [
            make_person(frame, track_id=track, frame_index=frame)
            for track in (0, 4, 5)
            if track == 4 or frame < track - 2
        ]
        sink.send(make_tick(*people, frame_index=frame))
    sink.close()
    assert names(tmp_path) == ["take.mcap", "take.npz", "take.person5.npz"]
    assert load_take(tmp_path / "take.npz").track_id == 4
    assert len(load_take(tmp_path / "take.person5.npz")) == 3


def test_hundreds_of_people_are_one_file(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.mcap")
    for track in range(300):
        sink.send(make_tick(make_person(0, track_id=track)))
    sink.close()
    assert names(tmp_path) == ["take.mcap"]
    assert len(read_recording(tmp_path / "take.mcap").people) == 300


def test_nobody_recorded_writes_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "take.npz").write_bytes(b"an older take")
    sink = TakeSink(tmp_path / "take.npz")
    sink.send(make_tick())
    sink.close()
    assert names(tmp_path) == ["take.npz"]
    assert (tmp_path / "take.npz").read_bytes() == b"an older take"
    (warning,) = sink.warnings
    assert "nobody was recorded" in warning


def test_older_take_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    older = record(tmp_path / "take.mcap", 3)
    before = older.read_bytes()
    sink = TakeSink(older)
    send_frames(sink, 5)
    assert older.read_bytes() == before
    sink.close()
    assert names(tmp_path) == ["take.mcap"]
    assert len(load_take(older)) == 5
    assert sink.warnings == ()


@pytest.mark.parametrize("unfinished", ["take.mcap", "take.new.mcap"])
def test_recording_that_was_cut_off_is_moved_aside_for_good(
    tmp_path: Path, unfinished: str
) -> None:
    whole = record(tmp_path / "whole.mcap", 4).read_bytes()
    if unfinished != "take.mcap":
        (tmp_path / "take.mcap").write_bytes(whole)
    for number in range(2):
        (tmp_path / unfinished).write_bytes(whole[: -9 - number])
        sink = TakeSink(tmp_path / "take.mcap")
        (warning,) = sink.warnings
        send_frames(sink, 5)
        sink.close()
        kept = ["take.cut-off.mcap", "take.cut-off-2.mcap"][number]
        assert warning == (
            f"an earlier recording was cut off; it is now {tmp_path / kept}"
        )
        assert len(load_take(tmp_path / kept)) == 4
        assert len(load_take(tmp_path / "take.mcap")) == 5
    assert len(names(tmp_path)) == 4


def test_two_recordings_of_one_name_cost_each_other_nothing(tmp_path: Path) -> None:
    first = TakeSink(tmp_path / "take.mcap")
    send_frames(first, 3)
    second = TakeSink(tmp_path / "take.mcap")
    send_frames(second, 5)
    with pytest.raises(SinkError, match=r"take\.mcap was moved while it was recorded"):
        first.close()
    second.close()
    assert names(tmp_path) == ["take.cut-off.mcap", "take.mcap"]
    assert len(load_take(tmp_path / "take.cut-off.mcap")) == 3
    assert len(load_take(tmp_path / "take.mcap")) == 5


def test_files_that_take_an_extra_are_refused_before_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    for module in ("pixie_runtime.takes.usd", "pixie_runtime.takes.usd_stage"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(MissingExtraError, match=r"pixie-live\[usd\]"):
        TakeSink(tmp_path / "take.usd")
    assert names(tmp_path) == []


def test_an_empty_file_is_no_older_take(tmp_path: Path) -> None:
    (tmp_path / "take.mcap").touch()
    sink = TakeSink(tmp_path / "take.mcap")
    assert names(tmp_path) == ["take.mcap"]
    send_frames(sink, 2)
    sink.close()
    assert len(load_take(tmp_path / "take.mcap")) == 2


def test_full_disk_ends_the_recording_and_keeps_the_frames(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")

    def record_until_full() -> None:
        for frame in range(100_000):
            sink.send(make_tick(make_person(0, frame_index=frame)))
            time.sleep(0.001)

    with file_size_limit(300_000), pytest.raises(SinkError, match="the disk is full"):
        record_until_full()
    with pytest.raises(SinkError, match="which are safe"):
        sink.send(make_tick(make_person(0)))
    sink.close()
    assert sink.frames > 30
    assert len(load_take(tmp_path / "take.npz")) == sink.frames


def test_disk_too_full_for_the_other_file_keeps_the_recording(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    send_frames(sink, 10)
    while sink.frames < 10:
        time.sleep(0.02)
    with (
        file_size_limit(4000),
        pytest.raises(
            SinkError,
            match=r"all 10 frames are safe in .*take\.mcap: try again with pixie-take "
            r"convert .*take\.mcap --to npz",
        ),
    ):
        sink.close()
    assert names(tmp_path) == ["take.mcap"]
    assert len(load_take(tmp_path / "take.mcap")) == 10


def test_disk_that_is_full_at_the_very_end_is_an_error(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.mcap")
    send_frames(sink, 2)
    with file_size_limit(4000), pytest.raises(SinkError, match="after 0 frames"):
        sink.close()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        (
            "take.mp4",
            UsageError,
            r"--record .*take\.mp4: expected a name without ending or one that ends in "
            r"\.mcap, \.npz, \.bvh",
        ),
        ("none/take.npz", SinkError, "the folder .*none does not exist"),
        ("folder.npz", SinkError, "it is a folder"),
        ("folder", SinkError, "it is a folder"),
        ("container.npz", SinkError, r"container\.mcap: it is a folder"),
        ("file/take.npz", SinkError, "Not a directory"),
    ],
)
def test_place_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, name: str, error: type[Exception], sentence: str
) -> None:
    for folder in ("folder.npz", "folder", "container.mcap"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(error, match=sentence):
        TakeSink(tmp_path / name)


@pytest.mark.skipif(not EVALUATION.is_dir(), reason="no evaluation material here")
def test_the_evaluation_reads_a_take_as_it_is(tmp_path: Path) -> None:
    with np.load(EVALUATION / "gt_public.npz") as truth:
        times = truth["timestamps_s"]
    sink = TakeSink(tmp_path / "take.npz")
    for frame, time_s in enumerate(times):
        person = make_person(frame, frame_index=frame, timestamp_s=float(time_s))
        sink.send(make_tick(person))
    sink.close()
    done = subprocess.run(
        [
            sys.executable,
            str(EVALUATION / "eval_take.py"),
            str(tmp_path / "take.npz"),
            "--camera=cam01",
            f"--gt={EVALUATION / 'gt_public.npz'}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"missing 0/{len(times)}" in done.stdout
