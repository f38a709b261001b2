"""Takes in the viewer."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from pixie_runtime.addresses import Address
from pixie_runtime.errors import UsageError
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import Take, load_take
from pixie_runtime.viewer import TakeShow, view_take
from tests.runtime.people import make_person, make_tick
from tests.runtime.viewer.pages import Page, open_page

FREE = Address("127.0.0.1", 0)
FRAMES = 60


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Take:
    path = tmp_path_factory.mktemp("take") / "two_seconds.npz"
    sink = TakeSink(path)
    for index in range(FRAMES):
        sink.send(make_tick(make_person(index, frame_index=index)))
    sink.close()
    return load_take(path)


@pytest.fixture
def show(take: Take) -> Iterator[TakeShow]:
    show = TakeShow([take], FREE, title="two seconds")
    yield show
    show.close()


def time_of(frame: bytes) -> float:
    return float(np.frombuffer(frame[8:16], "<f8")[0])


def index_of(frame: bytes) -> int:
    return int.from_bytes(frame[16:20], "little")


def frame_at(page: Page, time_s: float) -> bytes:
    """Return the first frame within a frame's length of a moment."""
    for frame in page.frames():
        if abs(time_of(frame) - time_s) < 0.05:
            return frame
    raise AssertionError


def test_a_page_is_told_how_long_the_take_is_and_how_sure_it_was(
    show: TakeShow, take: Take
) -> None:
    with open_page(show.urls[0]) as page:
        hello = page.wait_for("hello")
    assert hello["mode"] == "take"
    assert hello["duration_s"] == pytest.approx((FRAMES - 1) / 30)
    (line,) = hello["timeline"]
    assert line["track"] == take.track_id
    assert len(line["body"]) == 240
    assert line["body"][0] == pytest.approx(take.confidences[0, 0], abs=0.01)


def test_it_plays_in_order_to_its_end(show: TakeShow) -> None:
    show.playback.set_speed(4.0)
    show.playback.seek(0)
    with open_page(show.urls[0]) as page:
        indices = [index_of(page.wait_for("frame"))]
        while indices[-1] < FRAMES - 1:
            page.send("ready")
            indices.append(index_of(page.wait_for("frame")))
    assert indices == sorted(set(indices))


def test_buttons_hold_it_go_through_it_and_change_its_speed(show: TakeShow) -> None:
    with open_page(show.urls[0]) as page:
        page.send("play", False)
        page.wait_for_state(playback={"playing": False})
        page.send("seek", 1.5)
        frame = frame_at(page, 1.5)
        assert index_of(frame) == 45
        page.send("speed", 2)
        page.wait_for_state(playback={"speed": 2})
        page.send("play", True)
        page.wait_for_state(playback={"playing": True})


def test_a_page_that_opens_while_it_is_held_sees_where_it_is(show: TakeShow) -> None:
    show.playback.pause()
    with open_page(show.urls[0]) as page:
        page.send("seek", 1.0)
        frame_at(page, 1.0)
        with open_page(show.urls[0]) as later:
            assert index_of(later.wait_for("frame")) == 30


def test_several_people_are_played_side_by_side_each_while_recorded(
    take: Take,
) -> None:
    late = replace(take, track_id=1, timestamps_s=take.timestamps_s + 1.0)
    show = TakeShow([take, late], FREE, title="two people")
    show.playback.pause()
    with open_page(show.urls[0]) as page:
        for time_s, people in ((0.5, 1), (1.5, 2), (2.9, 1)):
            page.send("seek", time_s)
            frame = frame_at(page, time_s)
            assert int.from_bytes(frame[4:8], "little") == people
    show.close()


def test_a_take_for_another_body_model_is_refused(take: Take) -> None:
    wide = np.zeros((FRAMES, 300), np.float32)
    with pytest.raises(UsageError, match=r"300 shape .* name the body model"):
        TakeShow([replace(take, betas_per_frame=wide)], FREE, title="")


def test_view_take_tells_where_it_is_and_ends_when_told(take: Take) -> None:
    told: list[str] = []
    opened, end = threading.Event(), threading.Event()

    def tell(address: Address, url: str) -> None:
        assert url == f"http://{address}"
        told.append(url)
        opened.set()

    thread = threading.Thread(
        target=lambda: view_take(take, FREE, tell=tell, until=end)
    )
    thread.start()
    assert opened.wait(10)
    with open_page(told[0]) as page:
        page.wait_for("frame")
        end.set()
        with pytest.raises(ConnectionClosed):
            page.wait_for("anything more")
    thread.join()
