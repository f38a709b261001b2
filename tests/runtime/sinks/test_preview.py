import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.errors import MissingExtraError, SinkError
from pixie_runtime.sinks import Sink, Tick
from pixie_runtime.sinks.preview import PreviewSink
from pixie_runtime.types import Camera, Frame, PartConfidence, Person, SmplxParams

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
pygame: Any = pytest.importorskip("pygame", reason='needs the extra "view"')

GREY = 60


@pytest.fixture
def _no_real_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture
def preview(_no_real_window: None, model: BodyModel) -> Iterator[PreviewSink]:
    sink = PreviewSink(model)
    yield sink
    sink.close()


def frame(index: int = 0, width: int = 320, height: int = 240) -> Frame:
    image = np.full((height, width, 3), GREY, np.uint8)
    return Frame(index, index / 30, time.monotonic_ns(), image)


def somebody(model: BodyModel, shown_in: Frame) -> Person:
    """A person upright before the camera, in the middle of the picture."""
    rest = SmplxParams.rest(model.n_betas, model.n_expression)
    rotations = rest.rotations.copy()
    rotations[0] = (0, 1, 0, 0)  # y up to y down
    pelvis = model.shaped(rest.betas, rest.expression).joints[0]
    transl = np.array([0, 0, 3], np.float32) - pelvis
    params = SmplxParams(rest.betas, rest.expression, rotations, transl)
    body = model.shaped(params.betas, params.expression)
    height, width = shown_in.image.shape[:2]
    return Person(
        track_id=0,
        frame_index=shown_in.index,
        timestamp_s=shown_in.timestamp_s,
        params=params,
        joints=body.posed(rotations, transl).joints,
        confidence=PartConfidence(1, 1, 1, 1),
        camera=Camera.with_field_of_view(width, height, 60),
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s, "waited ten seconds in vain"
        time.sleep(0.01)


def pixel(x: int, y: int) -> tuple[int, ...]:
    surface = pygame.display.get_surface()
    return tuple(surface.get_at((x, y))[:3])


def test_the_picture_is_in_the_window(preview: PreviewSink) -> None:
    sink: Sink = preview
    sink.send(Tick(frame(), ()))
    wait_until(lambda: pygame.display.get_surface().get_size() == (320, 240))
    wait_until(lambda: pixel(160, 120) == (GREY, GREY, GREY))


def test_the_body_is_over_the_picture(preview: PreviewSink, model: BodyModel) -> None:
    shown = frame()
    preview.send(Tick(shown, (somebody(model, shown),)))
    wait_until(lambda: pygame.display.get_surface().get_size() == (320, 240))
    wait_until(lambda: pixel(5, 5) == (GREY, GREY, GREY))
    wait_until(lambda: pixel(160, 120) != (GREY, GREY, GREY))


def test_large_pictures_are_shrunk_to_fit_a_screen(preview: PreviewSink) -> None:
    preview.send(Tick(frame(width=1080, height=1920), ()))
    wait_until(lambda: pygame.display.get_surface().get_size() == (540, 960))


def test_a_flood_of_ticks_is_thinned_out_and_counted(
    preview: PreviewSink, model: BodyModel
) -> None:
    start_s = time.monotonic()
    for index in range(200):
        shown = frame(index)
        preview.send(Tick(shown, (somebody(model, shown),)))
    assert time.monotonic() - start_s < 2, "sending waits for drawing"
    assert preview.dropped > 50


@pytest.mark.parametrize(
    "event",
    [
        pygame.event.Event(pygame.QUIT),
        pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE),
        pygame.event.Event(pygame.KEYDOWN, key=pygame.K_q),
    ],
    ids=["window closed", "Esc", "q"],
)
@pytest.mark.usefixtures("_no_real_window")
def test_the_user_can_end_the_run(event: Any, model: BodyModel) -> None:
    calls: list[bool] = []
    sink = PreviewSink(model, on_close=lambda: calls.append(True))
    assert not sink.closed
    pygame.event.post(event)
    wait_until(lambda: bool(calls))
    assert sink.closed
    sink.send(Tick(frame(), ()))
    sink.close()
    assert calls == [True]


def test_other_keys_do_nothing(preview: PreviewSink) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a))
    preview.send(Tick(frame(), ()))
    wait_until(lambda: pygame.display.get_surface().get_size() == (320, 240))
    assert not preview.closed


def test_closing_without_a_single_tick_ends_the_thread(preview: PreviewSink) -> None:
    preview.close()
    preview.close()
    assert not preview.closed


def test_a_person_that_cannot_be_drawn_breaks_the_sink_and_says_why(
    preview: PreviewSink, model: BodyModel
) -> None:
    shown = frame()
    person = somebody(model, shown)
    foreign = replace(person.params, betas=np.zeros(model.n_betas + 1, np.float32))
    bad = Tick(shown, (person.with_params(foreign, person.joints),))

    def broken() -> bool:
        try:
            preview.send(bad)
        except SinkError as error:
            return "the preview window failed" in str(error)
        return False

    wait_until(broken)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SDL_VIDEODRIVER": "no such driver"},
        {"DISPLAY": "nowhere.invalid:7"},
    ],
    ids=["nothing named", "unknown driver", "unreachable display"],
)
def test_without_a_screen_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, model: BodyModel, environment: dict[str, str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SinkError, match="there is no screen for the preview window"):
        PreviewSink(model)


def test_without_pygame_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, model: BodyModel
) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pixie-live\[view\]"'):
        PreviewSink(model)


def test_a_window_left_open_at_the_end_is_closed_without_a_word() -> None:
    script = (
        "from pixie_runtime.body import embedded_body_model\n"
        "from pixie_runtime.sinks.preview import PreviewSink\n"
        "PreviewSink(embedded_body_model())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={
            "PYTHONPATH": str(Path(__file__).parents[3] / "runtime"),
            "SDL_VIDEODRIVER": "dummy",
        },
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
