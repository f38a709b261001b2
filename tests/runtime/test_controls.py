from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.calibration import calibrate
from pixie_runtime.controls import Controls, LiveSettings, LiveSmoothing
from pixie_runtime.smoothing import Quickness, SmoothingSettings
from pixie_runtime.types import Float32, Person
from tests.runtime.standing import standing

ELBOW = "left_elbow"


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="module")
def mean_shape(model: BodyModel) -> Float32:
    return np.zeros(model.n_betas, np.float32)


def bent(model: BodyModel, shape: Float32, degrees: float, frame: int) -> Person:
    bends = {ELBOW: (0.0, float(np.radians(degrees)), 0.0)}
    return standing(model, shape, time_s=frame / 30, bends=bends)


def elbow_deg(person: Person) -> float:
    w = abs(float(person.params.rotations[18, 0]))
    return float(np.degrees(2 * np.arccos(min(w, 1.0))))


def test_quicker_settings_act_on_the_next_frame_without_a_jump(
    model: BodyModel, mean_shape: Float32
) -> None:
    controls = Controls()
    smooth = LiveSmoothing(model, controls)
    smooth(bent(model, mean_shape, 0, 0))
    slow = elbow_deg(smooth(bent(model, mean_shape, 2, 1)))
    assert 0 < slow < 1.5
    controls.smooth_with(SmoothingSettings().quicker(Quickness(body=10)))
    assert elbow_deg(smooth(bent(model, mean_shape, 2, 2))) == pytest.approx(2, abs=0.1)


def test_retuning_keeps_what_the_filters_hold(
    model: BodyModel, mean_shape: Float32
) -> None:
    controls, untouched = Controls(), LiveSmoothing(model, Controls())
    smooth = LiveSmoothing(model, controls)
    for frame in range(6):
        person = bent(model, mean_shape, 5.0 * frame, frame)
        controls.smooth_with(replace(controls.settings.smoothing))
        found, expected = smooth(person), untouched(person)
        np.testing.assert_array_equal(found.params.rotations, expected.params.rotations)
        np.testing.assert_array_equal(found.params.transl, expected.params.transl)


def test_smoothing_is_switched_off_and_on_while_it_runs(
    model: BodyModel, mean_shape: Float32
) -> None:
    controls = Controls(LiveSettings(SmoothingSettings(enabled=False)))
    smooth = LiveSmoothing(model, controls)
    smooth(bent(model, mean_shape, 0, 0))
    raw = bent(model, mean_shape, 8, 1)
    assert smooth(raw) is raw
    controls.smooth_with(SmoothingSettings())
    smooth(bent(model, mean_shape, 8, 2))
    assert elbow_deg(smooth(bent(model, mean_shape, 10, 3))) < 9.5


def test_a_calibration_fixes_the_shape_from_the_next_frame_until_it_is_lifted(
    model: BodyModel, mean_shape: Float32
) -> None:
    controls = Controls()
    smooth = LiveSmoothing(model, controls)
    tall = mean_shape.copy()
    tall[0] = 2.0
    calibration = calibrate([standing(model, tall) for _ in range(12)], model)
    before = smooth(standing(model, mean_shape, time_s=0.1))
    controls.calibrate_with(calibration)
    for frame in range(4, 8):
        after = smooth(standing(model, mean_shape, time_s=frame / 30))
        np.testing.assert_array_equal(after.params.betas, calibration.betas)
    controls.calibrate_with(None)
    last = smooth(standing(model, mean_shape, time_s=0.3))
    np.testing.assert_allclose(last.params.betas, before.params.betas)


def test_whoever_watches_sees_the_estimate_before_anything_is_done_to_it(
    model: BodyModel, mean_shape: Float32
) -> None:
    controls = Controls()
    seen: list[Person] = []
    controls.watch = seen.append
    smooth = LiveSmoothing(model, controls)
    people = [bent(model, mean_shape, 10.0 * i, i) for i in range(3)]
    for person in people:
        smooth(person)
    assert seen == people


def test_everybody_s_stream_is_smoothed_as_if_alone(
    model: BodyModel, mean_shape: Float32
) -> None:
    def walk(track_id: int, frame: int) -> Person:
        person = bent(model, mean_shape, 5.0 * frame * (1 + track_id), frame)
        return replace(person, track_id=track_id)

    together = LiveSmoothing(model, Controls())
    alone = {track: LiveSmoothing(model, Controls()) for track in (0, 1)}
    for frame in range(6):
        for track, smooth in alone.items():
            found, expected = together(walk(track, frame)), smooth(walk(track, frame))
            np.testing.assert_array_equal(
                found.params.rotations, expected.params.rotations
            )
            np.testing.assert_array_equal(found.params.transl, expected.params.transl)
