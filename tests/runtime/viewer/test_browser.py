"""The page in a real browser, fed by the real pipeline and by people made up."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, WebSocket, expect

from pixie_runtime.addresses import Address
from pixie_runtime.assembly import open_pipeline, open_source
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.controls import Controls
from pixie_runtime.options import Options
from pixie_runtime.rendering import draw_mesh
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.smoothing import SmoothingSettings
from pixie_runtime.takes import load_take
from pixie_runtime.types import Camera, Frame, Person, UInt8
from pixie_runtime.viewer import TakeShow, ViewerSink
from tests.browser import browser_page, needs_browser
from tests.runtime.people import make_person, make_tick
from tests.runtime.standing import standing
from tests.runtime.viewer.test_sink import NoDesk

pytestmark = needs_browser

Mask = npt.NDArray[np.bool_]

SCREENSHOTS = os.environ.get("PIXIE_SCREENSHOTS")
"""A folder in which the pictures of the page are kept, to look at."""
FREE = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def keep_screenshot(page: Page, name: str, folder: Path) -> UInt8:
    """Take a picture of the page, RGB."""
    path = Path(SCREENSHOTS or folder) / f"{name}.png"
    page.screenshot(path=path)
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture[..., ::-1], np.uint8)


# --- a real run


@dataclass
class Run:
    """A run of the clip that ships, over and over, with a viewer."""

    url: str
    controls: Controls
    folder: Path


@pytest.fixture(scope="class")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("run")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = Options(demo=True, loop=True, view=str(port))
    source, controls = open_source(options), Controls()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where takes are recorded
        pipeline = open_pipeline(options, source, controls)
    thread = threading.Thread(target=pipeline.run, daemon=True)
    thread.start()
    yield Run(f"http://127.0.0.1:{port}", controls, folder)
    source.close()
    thread.join()
    pipeline.close()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def press(page: Page, button: str) -> None:
    """Press a button at once: a real click waits for a page to be still."""
    page.locator(button).dispatch_event("click")


class TestARealRun:
    """It ends before the next pages are drawn: all share the cores."""

    def test_a_run_is_watched_steered_recorded_and_calibrated(
        self, run: Run, tmp_path: Path
    ) -> None:
        requested: list[str] = []
        with browser_page(width=960, height=600, webgl=True) as page:
            page.on("request", lambda request: requested.append(request.url))
            page.on("websocket", lambda socket: requested.append(socket.url))
            page.goto(run.url)
            expect(page.locator("#lamp")).to_have_text("live")
            expect(page.locator("#fps")).not_to_have_text("–", timeout=60_000)
            expect(page.locator("#title")).to_contain_text(".mp4")
            page.locator("#calibrate").click()
            expect(page.locator("#countdown")).to_be_visible()

            press(page, "#record")
            expect(page.locator("#record")).to_have_attribute("aria-pressed", "true")

            page.locator("#smooth-body").fill("0.6")
            quick = 10**0.6 * SmoothingSettings().body.cutoff_hz
            wait_until(
                lambda: (
                    run.controls.settings.smoothing.body.cutoff_hz
                    == pytest.approx(quick)
                )
            )
            press(page, "#smooth")
            wait_until(lambda: not run.controls.settings.smoothing.enabled)
            press(page, "#as-before")
            wait_until(lambda: run.controls.settings.smoothing == SmoothingSettings())

            note = page.locator("#calibration")
            expect(note).to_contain_text("the camera is", timeout=60_000)
            calibration = run.controls.settings.calibration
            assert calibration is not None
            expect(note).to_contain_text(f"{calibration.frames} frames")
            keep_screenshot(page, "dark", tmp_path)

            press(page, "#record")
            expect(page.locator("#recording")).to_contain_text("saved", timeout=60_000)
        (path,) = run.folder.iterdir()
        take = load_take(path)
        assert len(take) > 3
        np.testing.assert_array_equal(take.betas_per_frame[-1], calibration.betas)
        assert len(requested) > 10
        assert all(url.split("/")[2] == run.url.split("/")[2] for url in requested)

    def test_on_a_phone_everything_is_within_reach(
        self, run: Run, tmp_path: Path
    ) -> None:
        with browser_page(
            width=390, height=780, webgl=True, touch=True, scheme="light"
        ) as page:
            page.goto(run.url)
            expect(page.locator("#fps")).not_to_have_text("–", timeout=60_000)
            wide = page.locator("html").evaluate("html => html.scrollWidth")
            assert wide <= 390
            for button in ("#record", "#calibrate", "[data-view=front]", "#smooth"):
                box = page.locator(button).bounding_box()
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= 390
                assert box["height"] >= 24
            keep_screenshot(page, "phone", tmp_path)
            page.locator("#picture").scroll_into_view_if_needed()
            keep_screenshot(page, "phone-below", tmp_path)


# --- people made up


class Feed:
    """Shows one tick again and again, as a run would that stands still."""

    def __init__(self, sink: ViewerSink, tick: Tick) -> None:
        self.sink = sink
        self.tick = tick
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.ended.set()
        self.thread.join()
        self.sink.close()

    def _run(self) -> None:
        index = 0
        while not self.ended.wait(0.2):
            frame = replace(
                self.tick.frame, index=index, grabbed_ns=time.monotonic_ns()
            )
            self.sink.send(replace(self.tick, frame=frame))
            index += 1


@contextmanager
def feed(model: BodyModel, tick: Tick, address: Address = FREE) -> Iterator[ViewerSink]:
    sink = ViewerSink(address, model, NoDesk(), title="made up")
    with closing(Feed(sink, tick)):
        yield sink


def before_a_wall(*people: Person, grey: int) -> Tick:
    width, height = people[0].camera.size_px
    image = np.full((height, width, 3), grey, np.uint8)
    return Tick(Frame(0, 0.0, 0, image), people)


def settled(page: Page) -> None:
    """Wait until some frames more were drawn than the first."""
    expect(page.locator("#fps")).not_to_have_text("–", timeout=60_000)
    page.wait_for_timeout(1200)


def test_seen_through_the_camera_the_page_s_body_is_our_rasteriser_s(
    model: BodyModel, tmp_path: Path
) -> None:
    size = 640, 640
    shape = make_person(shape_seed=2).params.betas * np.float32(0.5)
    bends = {"left_elbow": (0.0, -1.2, 0.0), "right_knee": (0.9, 0.0, 0.0)}
    camera = Camera.with_field_of_view(*size, 60)
    person = replace(standing(model, shape, bends=bends), camera=camera)
    p = person.params
    posed = model.shaped(p.betas, p.expression).posed(p.rotations, p.transl)
    black = np.zeros((*size, 3), np.uint8)
    drawn = draw_mesh(black, posed.vertices(), model.faces, camera)
    expected = drawn.max(axis=2) > 0
    with (
        feed(model, before_a_wall(person, grey=0)) as sink,
        browser_page(width=size[0] * 2, height=size[1] + 40, webgl=True) as page,
    ):
        page.goto(sink.urls[0])
        settled(page)
        page.locator("[data-view=camera]").click()
        page.locator("#panels").click()
        page.wait_for_timeout(800)
        picture = keep_screenshot(page, "through-camera", tmp_path)
    bright = picture[60:, 300:980].max(axis=2) > 60
    assert agreement(bright, expected) > 0.93


def cut_out(mask: Mask) -> Mask:
    """Return the mask's part that is not empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def agreement(found: Mask, expected: Mask) -> float:
    """Return the overlap of two silhouettes, wherever and however large they are."""
    found, expected = cut_out(found), cut_out(expected)
    size = found.shape[1], found.shape[0]
    same = cv2.resize(expected.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    return float((found & (same > 0)).sum() / (found | (same > 0)).sum())


def test_several_people_have_colours_of_their_own(
    model: BodyModel, tmp_path: Path
) -> None:
    mean = np.zeros(model.n_betas, np.float32)
    people = []
    for track in range(3):
        person = standing(model, mean, track_id=track)
        params = person.params
        aside = np.array([1.3 * (track - 1), 0, 0], np.float32)
        moved = replace(params, transl=params.transl + aside)
        people.append(person.with_params(moved, person.joints + aside))
    with (
        feed(model, before_a_wall(*people, grey=90)) as sink,
        browser_page(width=1100, height=700, webgl=True, scheme="light") as page,
    ):
        page.goto(sink.urls[0])
        page.locator("[data-view=front]").click()
        settled(page)
        picture = keep_screenshot(page, "several", tmp_path)
    middle = cv2.cvtColor(picture[80:640, 290:850], cv2.COLOR_RGB2HSV)
    coloured = middle[middle[..., 1] > 70][:, 0]
    hues = np.bincount(coloured // 15, minlength=12)
    assert (hues > 500).sum() >= 3


def test_a_page_comes_back_when_the_viewer_does(model: BodyModel) -> None:
    tick = make_tick(make_person())
    with browser_page(width=700, height=500, webgl=True) as page:
        with feed(model, tick) as sink:
            address = sink.address
            page.goto(sink.urls[0])
            expect(page.locator("#lamp")).to_have_text("live")
        expect(page.locator("#lamp")).to_have_text("not connected")
        with feed(model, tick, address):
            expect(page.locator("#lamp")).to_have_text("live", timeout=10_000)


@contextmanager
def website() -> Iterator[str]:
    """Serve a page that is not ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<title>a website</title>")

        def log_message(self, format: str, *args: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_website_that_the_user_visits_cannot_watch(model: BodyModel) -> None:
    with (
        feed(model, make_tick(make_person())) as sink,
        website() as address,
        browser_page() as page,
    ):
        page.goto(address)
        url = sink.urls[0].replace("http", "ws") + "/socket"
        tried = page.evaluate(
            """url => new Promise(resolve => {
                const socket = new WebSocket(url);
                socket.onopen = () => resolve("opened");
                socket.onclose = () => resolve("refused");
            })""",
            url,
        )
        assert tried == "refused"
        assert sink.pages == 0


# --- takes


def test_a_take_is_played_held_and_gone_through(
    model: BodyModel, tmp_path: Path
) -> None:
    path = tmp_path / "standing.npz"
    recording = TakeSink(path)
    mean = np.zeros(model.n_betas, np.float32)
    for index in range(90):
        raised = {"left_shoulder": (0.0, 0.0, -index / 90)}
        person = standing(model, mean, time_s=index / 30, bends=raised)
        recording.send(make_tick(person))
    recording.close()
    with (
        closing(TakeShow([load_take(path)], FREE, title="an arm")) as show,
        browser_page(width=1100, height=700, webgl=True) as page,
    ):
        sent: list[str] = []

        def listen(socket: WebSocket) -> None:
            socket.on("framesent", lambda text: sent.append(str(text)))

        page.on("websocket", listen)
        page.goto(show.urls[0])
        clock = page.locator("#clock")
        expect(clock).to_contain_text("of 3.0 s")
        expect(page.locator("#record")).to_be_hidden()
        page.locator("#speed").select_option("4")
        wait_until(lambda: show.playback.speed == 4)
        expect(clock).to_have_text("3.0 of 3.0 s", timeout=10_000)
        page.locator("#seek").fill("1.5")
        wait_until(lambda: show.playback.position_s == pytest.approx(1.5, abs=0.02))
        expect(clock).to_have_text("1.5 of 3.0 s")
        keep_screenshot(page, "take", tmp_path)
        page.locator("#seek").blur()
        sent.clear()
        for key in ("c", "r", " ", " ", " "):
            page.keyboard.down(key)  # without up: the last two spaces are repeats
        page.keyboard.up(" ")
        wait_until(lambda: show.playback.position_s == show.playback.duration_s)
        assert [text for text in sent if "ready" not in text] == ['{"play":true}']
