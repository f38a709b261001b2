import numpy as np
import pytest

from pixie_runtime.takes.curves import Curves
from pixie_runtime.takes.jitter import jitter
from tests.runtime.takes.recordings import take_of


def test_jitter_is_the_third_derivative_over_ten() -> None:
    """A body that moves by t cubed along x has a jerk of 6 m/s^3 everywhere."""
    times = np.arange(60) / 30
    take = take_of(times.tolist())
    still = Curves.of(take)
    numbers = np.repeat(still.numbers[:1], 60, axis=0)
    numbers[:, 0] = times**3
    wxyz = np.repeat(still.rotations[:1], 60, axis=0)
    assert jitter(Curves(wxyz, numbers).take(take)) == pytest.approx(0.6, abs=0.1)


def test_too_few_frames_do_not_tremble() -> None:
    assert jitter(take_of([0.0, 0.1, 0.2])) == 0.0
