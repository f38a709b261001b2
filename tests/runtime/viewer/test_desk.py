"""What the buttons do, without a page."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.calibration import Calibrator
from pixie_runtime.controls import Controls, LiveSettings, LiveSmoothing
from pixie_runtime.sinks.recording_switch import RecordingSwitch
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.smoothing import Quickness, SmoothingSettings
from pixie_runtime.viewer.commands import Calibrate, Play, Record, Smooth
from pixie_runtime.viewer.desk import LiveDesk
from tests.runtime.people import make_person, make_tick
from tests.runtime.standing import standing


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


class Run:
    """A run reduced to what the buttons act on."""

    def __init__(
        self,
        model: BodyModel,
        folder: Path,
        calibrator: Callable[[BodyModel], Calibrator] = Calibrator,
    ) -> None:
        self.controls = Controls()
        self.recording = RecordingSwitch(TakeSink, folder)
        self.desk = LiveDesk(
            model, self.controls, self.recording, calibrator=calibrator
        )
        self.smooth = LiveSmoothing(model, self.controls)

    def calibration(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.desk.state()["calibration"]
        return shown


@pytest.fixture
def run(model: BodyModel, tmp_path: Path) -> Run:
    return Run(model, tmp_path)


@pytest.fixture
def quick_run(model: BodyModel, tmp_path: Path) -> Run:
    """A run whose calibrations are short."""
    return Run(model, tmp_path, partial(Calibrator, countdown_s=0.0, collect_s=0.3))


def until(condition: Callable[[], bool], meanwhile: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        meanwhile()


def test_sliders_change_the_smoothing_of_the_next_frame(run: Run) -> None:
    quick = Quickness(body=3.0, position=0.5)
    run.desk.handle(Smooth(True, quick))
    assert run.controls.settings.smoothing == SmoothingSettings().quicker(quick)
    shown = run.desk.state()["smoothing"]
    assert shown == {
        "enabled": True,
        "body": 3.0,
        "hands": 1.0,
        "face": 1.0,
        "position": 0.5,
    }
    run.desk.handle(Smooth(False, Quickness()))
    assert not run.controls.settings.smoothing.enabled


def test_a_run_without_smoothing_is_shown_so_and_can_be_given_it(
    model: BodyModel, tmp_path: Path
) -> None:
    raw = Controls(LiveSettings(SmoothingSettings(enabled=False)))
    recording = RecordingSwitch(TakeSink, tmp_path)
    desk = LiveDesk(model, raw, recording)
    assert not desk.state()["smoothing"]["enabled"]
    desk.handle(Smooth(True, Quickness()))
    assert raw.settings.smoothing == SmoothingSettings()


def test_record_begins_and_ends_a_take(run: Run, tmp_path: Path) -> None:
    run.desk.handle(Record(True))
    for frame in range(3):
        run.recording.send(make_tick(make_person(frame, frame_index=frame)))
    assert run.desk.state()["recording"]["frames"] == 3
    run.desk.handle(Record(False))
    assert not run.desk.state()["recording"]["on"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".mcap"]


def test_a_recording_that_cannot_begin_is_told(
    model: BodyModel, tmp_path: Path
) -> None:
    run = Run(model, tmp_path / "nowhere")
    run.desk.handle(Record(True))
    assert "nowhere" in run.desk.state()["recording"]["problem"]


def test_a_calibration_counts_down_first(run: Run) -> None:
    assert run.calibration()["stage"] == "none"
    run.desk.handle(Calibrate("start"))
    assert run.calibration()["stage"] == "countdown"
    assert 2 < run.calibration()["left_s"] <= 3
    run.desk.handle(Calibrate("cancel"))
    assert run.calibration()["stage"] == "none"
    assert run.controls.watch is None


def test_a_calibration_fixes_the_shape_until_it_is_forgotten(
    quick_run: Run, model: BodyModel
) -> None:
    run = quick_run
    tall = np.zeros(model.n_betas, np.float32)
    tall[0] = 1.5
    person = standing(model, tall)
    run.desk.handle(Calibrate("start"))
    until(lambda: run.calibration()["stage"] == "done", lambda: run.smooth(person))
    shown = run.calibration()
    assert shown["camera_height_m"] == pytest.approx(1.4, abs=0.15)
    assert np.reshape(shown["floor_from_camera"], (4, 4))[3].tolist() == [0, 0, 0, 1]
    small = standing(model, -tall)
    np.testing.assert_allclose(run.smooth(small).params.betas, tall, atol=1e-5)
    assert run.controls.watch is None
    run.desk.handle(Calibrate("clear"))
    assert run.calibration()["stage"] == "none"
    assert run.controls.settings.calibration is None


def test_a_calibration_of_nobody_says_why_it_failed(quick_run: Run) -> None:
    run = quick_run
    run.desk.handle(Calibrate("start"))
    until(lambda: run.calibration()["stage"] == "none", lambda: time.sleep(0.02))
    assert "0 of 0 frames" in run.calibration()["problem"]
    assert run.controls.settings.calibration is None


def test_what_makes_no_sense_in_a_run_is_left_undone(run: Run) -> None:
    before = run.desk.state()
    run.desk.handle(Play(True))
    assert run.desk.state() == before
