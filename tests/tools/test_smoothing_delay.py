from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime import rotations
from pixie_runtime.body import embedded_body_model
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import Track
from tests.runtime.standing import standing
from tools.smoothing_delay import (
    best_delay,
    shaking,
    smoothed_live,
    smoothed_waiting,
)


def waving_take() -> Take:
    """Return a second of somebody who swings both arms, 60 frames a second."""
    model = embedded_body_model()
    still = standing(model, np.zeros(10, np.float32))
    people = []
    for frame in range(60):
        swing = 0.8 * np.sin(2 * np.pi * frame / 60)
        wxyz = still.params.rotations.copy()
        for name in ("left_shoulder", "right_shoulder"):
            turn = rotations.from_rotvec(np.array([0.0, 0.0, swing]))
            wxyz[JOINT_INDEX[name]] = turn
        params = replace(still.params, rotations=wxyz)
        body = model.shaped(params.betas, params.expression)
        person = still.with_params(params, body.posed(wxyz, params.transl).joints)
        people.append(replace(person, frame_index=frame, timestamp_s=frame / 60))
    return Track.of(people).take()


def test_a_curve_that_is_late_is_found_to_be_as_late_as_it_is() -> None:
    times_s = np.arange(300) / 60
    angles = times_s[:, None, None] * np.array([3.0, 2.0])
    truth = 100 * np.sin(angles + np.arange(5)[:, None])
    late = 100 * np.sin(angles - 0.034 * np.array([3.0, 2.0]) + np.arange(5)[:, None])
    assert best_delay(late, truth, times_s) == pytest.approx(0.034, abs=0.001)
    assert best_delay(truth, truth, times_s) == 0


def test_a_steady_walk_does_not_shake() -> None:
    steady = np.arange(20.0)[:, None, None] * np.ones((5, 2))
    assert shaking(steady) == pytest.approx(0, abs=1e-9)


def test_who_waits_for_what_comes_next_is_not_late() -> None:
    take = waving_take()
    truth = take.camera.project(take.joints[:, :22]).astype(np.float64)
    assert best_delay(smoothed_live(take), truth, take.timestamps_s) > 0.015
    assert best_delay(smoothed_waiting(take), truth, take.timestamps_s) < 0.004
