from datetime import datetime
from pathlib import Path

import pytest

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.recording_switch import RecordingSwitch
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import load_take
from tests.runtime.people import make_person, make_tick
from tests.runtime.stages import Collector

NOON = datetime(2026, 7, 21, 12, 0, 0)


def ticks(count: int) -> list[Tick]:
    return [make_tick(make_person(i, frame_index=i)) for i in range(count)]


def switch(folder: Path) -> RecordingSwitch:
    return RecordingSwitch(TakeSink, folder, now=lambda: NOON)


def test_what_comes_between_start_and_stop_is_in_the_take(tmp_path: Path) -> None:
    recording = switch(tmp_path)
    before, during, after = ticks(12)[:4], ticks(12)[4:9], ticks(12)[9:]
    for tick in before:
        recording.send(tick)
    recording.start()
    for tick in during:
        recording.send(tick)
    assert recording.state.on
    assert recording.state.frames == 5
    recording.stop()
    for tick in after:
        recording.send(tick)
    recording.close()
    take = load_take(tmp_path / "take-20260721-120000.mcap")
    assert take.frames.tolist() == [4, 5, 6, 7, 8]
    assert not recording.state.on
    assert "take-20260721-120000.mcap (5 frames" in recording.summary


def test_a_second_recording_in_the_same_second_has_a_name_of_its_own(
    tmp_path: Path,
) -> None:
    recording = switch(tmp_path)
    for tick in ticks(2):
        recording.start()
        recording.send(tick)
        recording.stop()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["take-20260721-120000-2.mcap", "take-20260721-120000.mcap"]


def test_starting_twice_and_stopping_twice_are_once(tmp_path: Path) -> None:
    recording = switch(tmp_path)
    recording.start()
    recording.start()
    recording.send(ticks(1)[0])
    recording.stop()
    recording.stop()
    assert len(list(tmp_path.iterdir())) == 1


def test_closing_finishes_what_is_being_recorded(tmp_path: Path) -> None:
    recording = switch(tmp_path)
    recording.start()
    for tick in ticks(3):
        recording.send(tick)
    recording.close()
    assert len(load_take(next(tmp_path.iterdir()))) == 3


def test_a_recording_of_nobody_is_not_said_to_be_saved(tmp_path: Path) -> None:
    recording = switch(tmp_path)
    recording.start()
    for frame in range(3):
        recording.send(make_tick(frame_index=frame))
    recording.stop()
    assert not list(tmp_path.iterdir())
    assert recording.state.problem == (
        "nobody was in view: take-20260721-120000.mcap is not written"
    )
    assert recording.summary == ""
    (warning,) = recording.warnings
    assert "nobody was recorded" in warning


def test_a_folder_that_cannot_be_written_is_told_and_nothing_else_happens(
    tmp_path: Path,
) -> None:
    recording = switch(tmp_path / "nowhere")
    with pytest.raises(SinkError, match="nowhere"):
        recording.start()
    recording.send(ticks(1)[0])
    assert not recording.state.on
    assert "nowhere" in recording.state.problem
    assert "nowhere" in recording.warnings[0]


class FullDisk(Collector):
    """A recording that fails at the third frame."""

    def send(self, tick: Tick) -> None:
        if len(self.ticks) == 2:
            raise SinkError("the disk is full")
        super().send(tick)


def test_a_recording_that_fails_ends_alone_and_says_so(tmp_path: Path) -> None:
    full = FullDisk()
    recording = RecordingSwitch(lambda path: full, tmp_path)
    recording.start()
    for tick in ticks(5):
        recording.send(tick)
    assert len(full.ticks) == 2
    assert full.closed
    assert not recording.state.on
    assert recording.state.problem == "the disk is full"
    recording.close()
