import numpy as np

from pixie_runtime.landmarks.steadying import SteadyPoints

POINTS = np.array([[100, 200], [300, 400]], np.float32)


def test_first_points_are_taken_as_they_are() -> None:
    steady = SteadyPoints().update(POINTS, size=100, time_s=0.0)
    np.testing.assert_array_equal(steady, POINTS)


def test_points_that_tremble_hardly_move() -> None:
    steady = SteadyPoints()
    rng = np.random.default_rng(2)
    found = np.stack(
        [
            steady.update(
                POINTS + rng.normal(size=(2, 2)).astype(np.float32),
                size=500,
                time_s=i / 30,
            )
            for i in range(60)
        ]
    )
    assert found[5:].std(axis=0).max() < 0.4


def test_points_that_run_are_followed() -> None:
    steady = SteadyPoints()
    for i in range(30):
        moved = POINTS + np.float32(20 * i)
        found = steady.update(moved, size=500, time_s=i / 30)
    assert np.abs(found - moved).max() < 30


def test_same_time_twice_and_time_running_back_are_survived() -> None:
    steady = SteadyPoints()
    for time_s in (0.0, 0.0, -1.0, 0.1):
        found = steady.update(POINTS, size=0.0, time_s=time_s)
    np.testing.assert_allclose(found, POINTS)


def test_after_a_reset_points_are_taken_as_they_are() -> None:
    steady = SteadyPoints()
    steady.update(POINTS, size=100, time_s=0.0)
    steady.reset()
    found = steady.update(POINTS + 50, size=100, time_s=0.1)
    np.testing.assert_array_equal(found, POINTS + 50)
