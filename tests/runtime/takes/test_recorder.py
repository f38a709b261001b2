"""Recordings of processes that are really killed, and disks that are really full."""

import gc
import random
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from pixie_runtime.errors import SinkError
from pixie_runtime.takes.recorder import Recorder
from pixie_runtime.takes.recording import is_cut_off, read_recording
from tests.runtime.full_disk import file_size_limit
from tests.runtime.people import make_person, make_tick
from tests.runtime.takes.recordings import INFO

ROOT = Path(__file__).parents[3]

RECORD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from pixie_runtime.sinks.take import TakeSink
from tests.runtime.people import make_person, make_tick
sink = TakeSink(Path(sys.argv[1]))
for frame in range(int(sys.argv[2])):
    sink.send(make_tick(make_person(0, frame_index=frame)))
    print(frame, time.monotonic(), flush=True)
    time.sleep(0.005)
time.sleep(60)
"""


def start_recording(path: Path, count: int) -> "subprocess.Popen[str]":
    """Record so many frames in a process of its own, and then wait."""
    return subprocess.Popen(
        [sys.executable, "-c", RECORD_UNTIL_KILLED, str(path), str(count)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def frames_due(process: "subprocess.Popen[str]", *, after: int, wait_s: float) -> int:
    """Kill a recording some time after so many frames.

    Returns:
        How many frames it was done with a second before it was killed.
    """
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    time.sleep(wait_s)
    killed_s = time.monotonic()
    process.kill()
    lines += process.stdout.read().splitlines()
    process.stdout.close()
    process.wait()
    said = [line.split() for line in lines if len(line.split()) == 2]
    return sum(float(time_s) < killed_s - 1.0 for _, time_s in said)


def test_killed_at_any_moment_all_but_the_last_second_is_there(tmp_path: Path) -> None:
    moments = [0.15, 0.33, 0.5, 0.61, 0.08, 1.4]
    moments = [moment + random.uniform(0, 0.3) for moment in moments]
    names = [tmp_path / f"{number}.mcap" for number in range(6)]
    processes = [start_recording(name, 10_000) for name in names]
    due = 0
    for name, process, wait_s in zip(names, processes, moments, strict=True):
        due = frames_due(process, after=1, wait_s=wait_s)
        assert is_cut_off(name)
        people = read_recording(name).people
        frames = people[0].frames.tolist() if people else []
        assert frames == list(range(len(frames)))
        assert len(frames) >= due
    assert due, "the last one was recorded for longer than a second"


def test_frames_are_safe_though_no_other_frame_follows(tmp_path: Path) -> None:
    process = start_recording(tmp_path / "a.mcap", 5)
    assert frames_due(process, after=5, wait_s=1.1) == 5
    frames = read_recording(tmp_path / "a.mcap").track().frames.tolist()
    assert frames == [0, 1, 2, 3, 4]


def test_full_disk_ends_it_and_the_frames_before_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, INFO)

    def record_until_full() -> None:
        for frame in range(10_000):
            recorder.add(make_tick(make_person(0, frame_index=frame)))
            time.sleep(0.001)

    with file_size_limit(300_000), pytest.raises(SinkError, match="the disk is full"):
        record_until_full()
    recorder.close()
    assert recorder.failure is not None
    assert f"ends after {recorder.frames} frames, which are safe" in recorder.failure
    recording = read_recording(path)
    assert recording.track().frames.tolist() == [*range(recorder.frames)]
    assert recorder.frames > 30
    assert not is_cut_off(path), "it got an end"


def test_disk_that_fills_up_with_the_last_frames_is_known_at_the_end(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path / "a.mcap", INFO)
    with file_size_limit(5_000):
        recorder.add(make_tick(*(make_person(0, track_id=i) for i in range(9))))
        recorder.close()
    assert recorder.failure is not None
    assert recorder.frames == 0


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mcap", INFO)
    tick = make_tick(make_person(0))

    def record(count: int) -> None:
        target = recorder.frames + count
        for _ in range(count):
            recorder.add(tick)
        while recorder.frames < target:
            time.sleep(0.05)

    def grown() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    before = 0
    tracemalloc.start()
    record(1000)
    before = grown()
    record(10_000)
    deadline = time.monotonic() + 20
    while grown() > 0.5e6 and time.monotonic() < deadline:
        time.sleep(0.05)  # the last frames are written, but not yet let go
    end = grown()
    tracemalloc.stop()
    recorder.close()
    assert (tmp_path / "a.mcap").stat().st_size > 20e6
    assert end < 0.5e6


def test_other_sizes_are_refused_and_the_frames_before_kept(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mcap", INFO)
    recorder.add(make_tick(make_person(0)))
    with pytest.raises(SinkError, match="cannot record 10 betas"):
        recorder.add(make_tick(make_person(1, n_betas=10, frame_index=1)))
    recorder.close()
    assert len(read_recording(tmp_path / "a.mcap").track()) == 1


def test_camera_that_changes_is_noted(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mcap", INFO)
    for frame in range(3):
        recorder.add(make_tick(make_person(0, frame_index=frame)))
    recorder.close()
    recorder.close()
    assert (tmp_path / "a.mcap").read_bytes().count(b"pixie.camera") == 2, (
        "once in the data, once in the index"
    )
