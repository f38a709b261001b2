import time
from pathlib import Path

import pytest

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, Tick, Traffic
from pixie_runtime.sinks.fanout import Fanout
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import load_take
from tests.runtime.full_disk import file_size_limit
from tests.runtime.people import make_person, make_tick


class Notebook:
    """A sink that notes what happens to it and fails when told to."""

    dropped = 2

    def __init__(self, name: str = "notebook") -> None:
        self.name = name
        self.ticks: list[Tick] = []
        self.closed = 0
        self.fails_in_send = self.fails_in_close = False
        self.bug_in_close: Exception | None = None
        self.bug_in_send: Exception | None = None
        self.warnings: tuple[str, ...] = ()

    def send(self, tick: Tick) -> None:
        if self.bug_in_send:
            raise self.bug_in_send
        if self.fails_in_send:
            raise SinkError(f"{self.name} is torn")
        self.ticks.append(tick)

    def close(self) -> None:
        self.closed += 1
        if self.bug_in_close:
            raise self.bug_in_close
        if self.fails_in_close:
            raise SinkError(f"{self.name} does not shut")


def test_every_sink_gets_every_tick_in_order() -> None:
    one, two = Notebook("one"), Notebook("two")
    fanout: Sink = Fanout([one, two])
    ticks = [make_tick(frame_index=i) for i in range(3)]
    for tick in ticks:
        fanout.send(tick)
    fanout.close()
    assert one.ticks == two.ticks == ticks
    assert (one.closed, two.closed) == (1, 1)
    assert fanout.name == "one, two"
    assert fanout.dropped == 4
    assert Fanout([one, two]).traffic == {
        "one": Traffic(sent=None, dropped=2),
        "two": Traffic(sent=None, dropped=2),
    }


def test_failing_sink_is_closed_and_reported_once_and_the_others_go_on() -> None:
    good, bad = Notebook("good"), Notebook("bad")
    fanout = Fanout([bad, good])
    fanout.send(make_tick())
    bad.fails_in_send = True
    for _ in range(3):
        fanout.send(make_tick())
    assert (len(bad.ticks), len(good.ticks)) == (1, 4)
    assert bad.closed == 1
    assert fanout.warnings == ("bad is torn",)
    with pytest.raises(SinkError, match="bad is torn"):
        fanout.close()
    assert (bad.closed, good.closed) == (1, 1)


def test_last_sink_to_fail_ends_the_run() -> None:
    only = Notebook("only")
    only.fails_in_send = True
    with pytest.raises(SinkError, match="no output is left: only is torn"):
        Fanout([only]).send(make_tick())


def test_no_sinks_at_all_is_fine() -> None:
    fanout = Fanout([])
    fanout.send(make_tick())
    fanout.close()
    assert (fanout.name, fanout.dropped, fanout.warnings) == ("no output", 0, ())


def test_all_are_closed_whatever_goes_wrong() -> None:
    sinks = [Notebook(str(number)) for number in range(4)]
    sinks[1].fails_in_close = sinks[2].fails_in_close = True
    with pytest.raises(SinkError, match=r"(1|2) does not shut; (1|2) does not shut"):
        Fanout(sinks).close()
    assert [sink.closed for sink in sinks] == [1, 1, 1, 1]


def test_bug_in_one_sink_ends_it_alone_and_is_told_with_its_kind() -> None:
    good, bad = Notebook("good"), Notebook("bad")
    bad.bug_in_send = ValueError("cannot convert float NaN to integer")
    fanout = Fanout([bad, good])
    for _ in range(3):
        fanout.send(make_tick())
    assert (len(good.ticks), bad.closed) == (3, 1)
    (warning,) = fanout.warnings
    assert warning == (
        "bad failed by a fault of this program, please report it "
        "(ValueError: cannot convert float NaN to integer)"
    )
    with pytest.raises(SinkError, match=r"bad failed by a fault .*ValueError"):
        fanout.close()


def test_bug_in_closing_one_sink_still_closes_the_others() -> None:
    sinks = [Notebook(str(number)) for number in range(3)]
    sinks[1].bug_in_close = RuntimeError()
    with pytest.raises(SinkError, match=r"^1 failed by a fault .* \(RuntimeError\)$"):
        Fanout(sinks).close()
    assert [sink.closed for sink in sinks] == [1, 1, 1]


def test_warnings_of_sinks_are_passed_on() -> None:
    sink = Notebook()
    sink.warnings = ("mind the gap",)
    assert Fanout([sink, Notebook()]).warnings == ("mind the gap",)


def test_recording_that_fails_keeps_its_frames_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    stream, take = Notebook("stream"), TakeSink(tmp_path / "take.mcap")
    fanout = Fanout([take, stream])
    for frame in range(5):
        fanout.send(make_tick(make_person(frame, frame_index=frame)))
    while take.frames < 5:
        time.sleep(0.02)
    frame = 5
    with file_size_limit(1000):
        while not fanout.warnings:
            fanout.send(make_tick(make_person(frame, frame_index=frame)))
            frame += 1
            time.sleep(0.02)
    fanout.send(make_tick(make_person(frame, frame_index=frame)))

    assert len(stream.ticks) == frame + 1
    (warning,) = fanout.warnings
    assert "after 5 frames, which are safe: the disk is full" in warning
    assert len(load_take(tmp_path / "take.mcap")) == 5
