import numpy as np
import pytest

from pixie_runtime.landmarks.heatmaps import refined
from pixie_runtime.types import Float32


def heatmap(row: int, column: int, logit: float = 8.0) -> Float32:
    heat = np.full((1, 64, 64), -50, np.float32)
    heat[0, row, column] = logit
    return heat


def landmark(x: float, y: float) -> Float32:
    return np.array([[x, y, 0.3, 0.8, 0.9]], np.float32)


def test_landmark_moves_to_the_peak_nearby_and_keeps_the_rest() -> None:
    moved = refined(landmark(0.5, 0.5), heatmap(row=30, column=34))
    np.testing.assert_allclose(moved, [[34 / 64, 30 / 64, 0.3, 0.8, 0.9]], atol=1e-6)


@pytest.mark.parametrize(
    ("point", "heat"),
    [
        ((0.5, 0.5), heatmap(row=30, column=40)),
        ((0.5, 0.5), heatmap(row=30, column=34, logit=-1.0)),
        ((1.5, 0.5), heatmap(row=30, column=34)),
        ((0.5, -0.5), heatmap(row=30, column=34)),
    ],
    ids=["peak too far", "peak unsure", "outside right", "outside above"],
)
def test_landmark_stays_where_the_heatmap_says_nothing(
    point: tuple[float, float], heat: Float32
) -> None:
    stayed = refined(landmark(*point), heat)
    np.testing.assert_array_equal(stayed[:, :4], landmark(*point)[:, :4])


def test_landmark_that_the_heatmap_does_not_see_is_less_present() -> None:
    unsure = refined(landmark(0.5, 0.5), heatmap(row=30, column=34, logit=-1.0))
    np.testing.assert_allclose(unsure[0, 3:], [0.8, 1 / (1 + np.e)], rtol=1e-5)


def test_peak_at_the_border_counts_only_inside() -> None:
    moved = refined(landmark(0.001, 0.001), heatmap(row=0, column=0))
    np.testing.assert_allclose(moved[0, :2], [0, 0], atol=1e-6)
