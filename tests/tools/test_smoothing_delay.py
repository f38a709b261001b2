import numpy as np
import pytest

from tools.smoothing_delay import best_delay, shaking


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
