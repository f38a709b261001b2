import io
import re
import threading
import weakref

import pytest

from pixie_runtime.pipeline import Losses, Progress
from pixie_runtime.sinks import Traffic
from pixie_runtime.status import Status, StatusLine
from pixie_runtime.types import PartConfidence
from tests.runtime.people import make_person, make_tick

SURE = PartConfidence(body=0.98, left_hand=0.7, right_hand=0.0, face=1.0)
NOTHING_LOST = Losses(0, {}, ())


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_the_line_says_rate_latency_confidence_and_drops() -> None:
    status = Status(
        fps=29.97,
        latencies_ms=[20.0, 30.0, 40.0],
        frames_dropped=2,
        outputs={},
        confidence=SURE,
    )
    assert status.text() == (
        "30.0 fps | 30/39 ms p50/p95 | "
        "body 0.98 left hand 0.70 right hand 0.00 face 1.00 | 2 dropped"
    )


def test_an_empty_picture_says_nobody_in_view() -> None:
    assert "nobody in view" in Status(30.0, [20.0], 0, {}, None).text()


def test_before_the_first_frame_the_line_says_what_it_waits_for() -> None:
    warning = "camera 0 is gone; reconnecting"
    line = Status(0.0, [], 0, {}, None, (warning,)).text()
    assert line.startswith("waiting for frames")
    assert line.endswith(warning)


def test_every_output_has_its_own_counts_and_files_only_their_losses() -> None:
    outputs = {
        "osc a:1": Traffic(sent=12, dropped=0),
        "osc b:1": Traffic(sent=9, dropped=3),
        "websocket c:1": Traffic(sent=0, dropped=0, clients=0, connections=0),
        "websocket d:1": Traffic(sent=5, dropped=2, clients=1, connections=4),
        "take": Traffic(sent=None, dropped=0),
        "preview": Traffic(sent=None, dropped=7),
    }
    assert Status(0.0, [], 0, outputs, None).text() == (
        "waiting for frames | 0 dropped | osc a:1: 12 sent | osc b:1: 9 sent, 3 dropped"
        " | websocket c:1: 0 clients, 0 sent"
        " | websocket d:1: 1 client, 5 sent, 2 dropped | preview: 7 dropped"
    )


def test_rate_and_latency_are_those_of_the_last_three_seconds() -> None:
    now = 0.0
    line = StatusLine(io.StringIO(), lambda: NOTHING_LOST, clock=lambda: now)
    for latency, fps, count in ((80.0, 10, 50), (12.0, 25, 100)):
        for _ in range(count):
            now += 1 / fps
            line.observe(Progress(make_tick(make_person()), latency))

    status = line.status()
    assert status.fps == pytest.approx(25)
    assert set(status.latencies_ms) == {12.0}
    assert status.confidence is not None


def test_a_stream_that_stopped_is_waited_for() -> None:
    now = 0.0
    line = StatusLine(io.StringIO(), lambda: NOTHING_LOST, clock=lambda: now)
    line.observe(Progress(make_tick(make_person()), 12.0))
    now = 10.0
    assert line.status().text().startswith("waiting for frames")


def test_the_person_that_left_is_not_shown_any_more() -> None:
    line = StatusLine(io.StringIO(), lambda: NOTHING_LOST)
    line.observe(Progress(make_tick(make_person()), 12.0))
    line.observe(Progress(make_tick(), 12.0))
    assert line.status().confidence is None


def test_a_terminal_line_is_rewritten_and_removed_at_the_end() -> None:
    terminal = Terminal()
    with StatusLine(terminal, lambda: Losses(0, {}, ("hello",))):
        assert terminal.written.wait(5)
    written = terminal.getvalue()
    assert written.startswith("\rwaiting for frames")
    assert "\n" not in written
    assert written.endswith("\r\x1b[J")


def test_in_a_terminal_what_does_not_fit_a_row_goes_on_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "31")
    terminal = Terminal()
    warning = "the receiver has been asleep since noon"
    with StatusLine(terminal, lambda: Losses(0, {}, (warning,))):
        assert terminal.written.wait(5)
    rows = terminal.getvalue().removesuffix("\x1b[J").split("\x1b[J")[0]
    assert re.sub(r"\x1b\[.", "", rows).lstrip("\r").split("\n") == [
        "waiting for frames | 0 dropped",
        "the receiver has been asleep",
        "since noon",
    ]
    # At the end it goes up to the first of the three rows and erases all.
    assert terminal.getvalue().endswith("\r\x1b[A\x1b[A\x1b[J")


def test_elsewhere_nothing_is_rewritten() -> None:
    stream = io.StringIO()
    with StatusLine(stream, lambda: NOTHING_LOST):
        pass
    assert "\r" not in stream.getvalue()


def test_a_reader_that_went_away_ends_the_line_quietly() -> None:
    class Broken(Terminal):
        def write(self, text: str) -> int:
            self.written.set()
            raise BrokenPipeError

    stream = Broken()
    with StatusLine(stream, lambda: NOTHING_LOST, heading="bundle tiny") as line:
        assert stream.written.is_set()
        line.observe(Progress(make_tick(), 12.0))
        assert not line.status().latencies_ms, "kept for nobody"


def test_no_more_is_kept_than_is_shown_even_where_nobody_asks() -> None:
    class Moment(float):
        """A time that tells whether somebody still keeps it."""

    kept: weakref.WeakSet[Moment] = weakref.WeakSet()
    moment = Moment(0.0)
    line = StatusLine(io.StringIO(), lambda: NOTHING_LOST, clock=lambda: moment)
    for tenths in range(200):
        moment = Moment(tenths / 10)
        kept.add(moment)
        line.observe(Progress(make_tick(), 12.0))
    assert len(kept) == pytest.approx(30, abs=1)


def test_where_the_number_of_frames_is_known_the_line_says_how_many_are_done() -> None:
    line = StatusLine(io.StringIO(), lambda: NOTHING_LOST, frames=20)
    assert line.status().text().startswith("0 of 20 | waiting for frames")
    line.observe(Progress(make_tick(frame_index=6), 12.0))
    assert line.status().text().startswith("7 of 20 | ")


def test_what_runs_is_said_once_before_the_line() -> None:
    terminal = Terminal()
    line = StatusLine(terminal, lambda: NOTHING_LOST, heading="bundle tiny")
    with line:
        assert terminal.getvalue() == "bundle tiny\n"
        terminal.written.clear()
        assert terminal.written.wait(5)
    assert terminal.getvalue().startswith("bundle tiny\n\rwaiting for frames")


def test_several_people_are_counted_and_the_first_one_s_confidence_shown() -> None:
    line = StatusLine(io.StringIO(), lambda: NOTHING_LOST)
    both = make_person(1), make_person(2, track_id=1)
    line.observe(Progress(make_tick(*both), 12.0))
    line.observe(Progress(make_tick(*both), 12.0))
    assert " | 2 people | body " in line.status().text()
    assert line.status().confidence == both[0].confidence
