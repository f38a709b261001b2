import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from pixie_runtime.errors import SourceError
from pixie_runtime.interrupts import InterruptibleSource
from pixie_runtime.types import Frame
from tests.runtime.stages import Pictures


class Silent(Pictures):
    """A camera that gives one picture and then nothing any more."""

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        threading.Event().wait(30)


def kill_soon(number: signal.Signals) -> threading.Timer:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
    timer.start()
    return timer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_for_a_frame(number: signal.Signals) -> None:
    start = time.monotonic()
    with InterruptibleSource(Silent([(4, 6)])) as source:
        kill_soon(number)
        frames = list(source)
    assert len(frames) == 1
    assert source.interrupted
    assert time.monotonic() - start < 10


class Patient(Pictures):
    """A camera that goes silent, and tells when that began and whether it ended."""

    silent = spoke = False

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        self.silent = True
        threading.Event().wait(2)
        self.spoke = True


def lines_of_the_loop(*, signal_at: int | None = None) -> int:
    """Count the lines run before the wait for a silent camera.

    The signal comes before the line of that number, or in the wait.
    """
    loop = {
        InterruptibleSource.__iter__.__code__,
        InterruptibleSource._wait_for.__code__,
    }
    camera, lines = Patient([(4, 6)]), 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        if frame.f_code not in loop or camera.silent:
            return None
        if event == "line":
            lines += 1
            if lines == signal_at:
                os.kill(os.getpid(), signal.SIGINT)
        return trace

    before = sys.gettrace()
    with InterruptibleSource(camera) as source:
        if signal_at is None:
            kill_soon(signal.SIGINT)
        sys.settrace(trace)
        try:
            list(source)
        finally:
            sys.settrace(before)
    assert not camera.spoke, f"a signal at line {signal_at} of the loop is missed"
    return lines


def test_no_moment_of_the_loop_misses_a_signal() -> None:
    lines = lines_of_the_loop()
    assert lines > 8
    for line in range(1, lines + 1):
        lines_of_the_loop(signal_at=line)


def test_work_on_a_frame_is_finished_before_the_end() -> None:
    done = []
    with InterruptibleSource(Pictures([(4, 6)] * 5)) as source:
        for frame in source:
            if frame.index == 1:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
            done.append(frame.index)
    assert done == [0, 1]


def test_a_second_signal_breaks_off_the_work_too() -> None:
    with InterruptibleSource(Pictures([(4, 6)])) as source:
        for _ in source:
            os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_while_outputs_are_closed_breaks_nothing_off() -> None:
    with InterruptibleSource(Pictures([(4, 6)], breaks_after=0)) as source:
        with pytest.raises(SourceError):
            list(source)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
    assert source.interrupted


def test_signals_mean_what_they_meant_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with InterruptibleSource(Pictures([])):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_everything_else_is_the_inner_source() -> None:
    inner = Pictures([(4, 6)] * 3)
    inner.warning, inner.dropped = "low light", 4
    source = InterruptibleSource(inner)
    assert [frame.index for frame in source] == [0, 1, 2]
    assert not source.interrupted
    assert (source.description, source.fps) == ("pictures", 30.0)
    assert (source.dropped, source.warning) == (4, "low light")
    source.close()
    assert inner.closed
