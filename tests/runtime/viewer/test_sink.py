"""The viewer as a sink: a run feeds it, pages watch."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Tick
from pixie_runtime.types import Frame
from pixie_runtime.viewer import ViewerSink
from pixie_runtime.viewer.commands import Command
from tests.runtime.people import make_person, make_tick
from tests.runtime.viewer.pages import open_page

FREE = Address("127.0.0.1", 0)


class NoDesk:
    """Buttons that do nothing."""

    def state(self) -> Mapping[str, Any]:
        return {}

    def handle(self, command: Command) -> None:
        return None


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture
def sink(model: BodyModel) -> Iterator[ViewerSink]:
    sink = ViewerSink(FREE, model, NoDesk(), title="a test", source_dropped=lambda: 5)
    yield sink
    sink.close()


def index_of(frame: bytes) -> int:
    return int.from_bytes(frame[16:20], "little")


def people_in(frame: bytes) -> int:
    return int.from_bytes(frame[4:8], "little")


def some_picture(tick: Tick) -> Tick:
    frame = tick.frame
    image = np.zeros((480, 640, 3), np.uint8)
    pictured = Frame(frame.index, frame.timestamp_s, time.monotonic_ns(), image)
    return replace(tick, frame=pictured)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def watched(sink: ViewerSink) -> None:
    wait_until(lambda: sink.is_awaited)


def test_a_page_gets_the_body_then_shapes_then_frames(sink: ViewerSink) -> None:
    with open_page(sink.urls[0]) as page:
        watched(sink)
        kinds = [page.next()[0] for _ in range(3)]
        sink.send(some_picture(make_tick(make_person(), make_person(track_id=1))))
        kinds += [page.next()[0] for _ in range(4)]
    assert kinds == ["hello", "body", "state", "shape", "shape", "frame", "picture"]


def test_a_page_that_opens_later_is_told_the_shapes_too(sink: ViewerSink) -> None:
    with open_page(sink.urls[0]) as first:
        watched(sink)
        sink.send(make_tick(make_person()))
        first.wait_for("frame")
        with open_page(sink.urls[0]) as second:
            kinds = [second.next()[0] for _ in range(4)]
    assert kinds == ["hello", "body", "shape", "state"]


def test_what_a_slow_page_does_not_show_is_left_out_and_never_late(
    sink: ViewerSink,
) -> None:
    with open_page(sink.urls[0]) as page:
        watched(sink)
        for index in range(2):
            sink.send(make_tick(make_person(), frame_index=index))
            assert index_of(page.wait_for("frame")) == index
        for index in range(2, 40):
            sink.send(make_tick(make_person(), frame_index=index))
        wait_until(lambda: sink.dropped == 38)
        page.send("ready")
        page.send("ready")
        wait_until(lambda: sink.is_awaited)
        sink.send(make_tick(make_person(), frame_index=40))
        assert index_of(page.wait_for("frame")) == 40


def test_a_frame_with_nobody_is_shown_too(sink: ViewerSink) -> None:
    with open_page(sink.urls[0]) as page:
        watched(sink)
        sink.send(make_tick(frame_index=3))
        frame = page.wait_for("frame")
    assert (index_of(frame), people_in(frame)) == (3, 0)


def test_a_run_that_nobody_watches_is_not_encoded(
    sink: ViewerSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(tick: Tick, fps: float) -> None:
        raise AssertionError("nobody watches")

    monkeypatch.setattr(sink, "_show", refuse)
    for index in range(20):
        sink.send(make_tick(make_person(), frame_index=index))
    assert sink.dropped == 0


def test_a_fault_in_the_viewer_ends_it_and_is_told(
    sink: ViewerSink, model: BodyModel
) -> None:
    tall = make_person(n_betas=model.n_betas + 1)
    with open_page(sink.urls[0]):
        watched(sink)
        with pytest.raises(SinkError, match="the viewer failed"):
            wait_until(lambda: sink.send(make_tick(tall)))


def test_its_greeting_says_where_to_go_and_who_can_watch(model: BodyModel) -> None:
    alone = ViewerSink(FREE, model, NoDesk(), title="")
    port = alone.urls[0].rpartition(":")[2]
    assert alone.greeting == f"viewer: http://127.0.0.1:{port}"
    alone.close()
    everywhere = ViewerSink(Address("0.0.0.0", 0), model, NoDesk(), title="")
    port = everywhere.urls[0].rpartition(":")[2]
    assert f"http://127.0.0.1:{port}" in everywhere.greeting
    assert "everybody on the network can watch" in everywhere.greeting
    everywhere.close()
