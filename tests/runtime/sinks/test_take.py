import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.errors import SinkError, UsageError
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import load_take
from tests.runtime.people import make_person, make_tick

EVALUATION = Path(__file__).parents[4] / "shared" / "eval"


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`: as a full disk does, for real."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_recording_becomes_a_take_and_leaves_nothing_else(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    as_sink: Sink = sink
    for frame in range(5):
        as_sink.send(make_tick(make_person(frame, frame_index=frame)))
    assert sink.frames == 5
    as_sink.close()
    as_sink.close()
    assert names(tmp_path) == ["take.npz"]
    assert sink.takes == (tmp_path / "take.npz",)
    assert load_take(tmp_path / "take.npz").frames.tolist() == [0, 1, 2, 3, 4]


def test_frames_without_anybody_leave_a_gap(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    for frame in range(9):
        people = [] if 3 <= frame < 6 else [make_person(frame, frame_index=frame)]
        sink.send(make_tick(*people, frame_index=frame))
    sink.close()
    assert load_take(tmp_path / "take.npz").frames.tolist() == [0, 1, 2, 6, 7, 8]


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
    assert names(tmp_path) == ["take.npz", "take.person5.npz"]
    assert load_take(tmp_path / "take.npz").track_id == 4
    assert len(load_take(tmp_path / "take.person5.npz")) == 3


def test_hundreds_of_people_do_not_use_up_the_open_files(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    try:
        sink = TakeSink(tmp_path / "take.npz")
        for track in range(200):
            sink.send(make_tick(make_person(0, track_id=track)))
        sink.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(names(tmp_path)) == 200


def test_nobody_recorded_writes_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "take.npz").write_bytes(b"an older take")
    sink = TakeSink(tmp_path / "take.npz")
    sink.send(make_tick())
    sink.close()
    assert (tmp_path / "take.npz").read_bytes() == b"an older take"
    (warning,) = sink.warnings
    assert "nobody was recorded" in warning


def test_full_disk_ends_the_recording_and_keeps_the_frames(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    recorded: list[int] = []

    def record_until_full() -> None:
        for frame in range(1000):
            sink.send(make_tick(make_person(frame, frame_index=frame)))
            recorded.append(frame)

    with file_size_limit(20_000), pytest.raises(SinkError, match="the disk is full"):
        record_until_full()
    assert 0 < len(recorded) < 20
    with pytest.raises(SinkError, match="has ended"):
        sink.send(make_tick(make_person(0)))
    sink.close()
    assert load_take(tmp_path / "take.npz").frames.tolist() == recorded


def test_disk_too_full_for_the_take_keeps_the_part_file(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    for frame in range(10):
        sink.send(make_tick(make_person(frame, frame_index=frame)))
    with (
        file_size_limit(4000),
        pytest.raises(
            SinkError, match=r"its 10 frames are safe in .*take\.person0\.npz\.part"
        ),
    ):
        sink.close()
    assert names(tmp_path) == ["take.person0.npz.part"]


def test_part_file_of_an_earlier_run_is_left_alone_and_mentioned(
    tmp_path: Path,
) -> None:
    left = tmp_path / "take.person0.npz.part"
    left.write_bytes(b"an earlier recording")
    sink = TakeSink(tmp_path / "take.npz")
    assert str(left) in sink.warnings[0]
    sink.send(make_tick(make_person(0)))
    sink.close()
    assert left.read_bytes() == b"an earlier recording"
    assert names(tmp_path) == ["take.npz", "take.person0.npz.part"]


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("take.mp4", UsageError, r"--record .*take\.mp4: expected a name .* \.npz"),
        ("none/take.npz", SinkError, "the folder .*none does not exist"),
        ("folder.npz", SinkError, "it is a folder"),
        ("file/take.npz", SinkError, "Not a directory"),
    ],
)
def test_place_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, name: str, error: type[Exception], sentence: str
) -> None:
    (tmp_path / "folder.npz").mkdir()
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
