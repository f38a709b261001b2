import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.resampling import Resampler, Taps
from pixie_runtime.types import Float64, UInt8

sizes = st.integers(1, 40)
places = st.tuples(sizes, st.floats(-20, 60), st.floats(-3, 3))
"""How many pixels, where the first one is, and how far it is to the next."""


def taps(given_places: tuple[int, float, float], length: int) -> Taps:
    count, start, step = given_places
    return Taps.at(start + step * np.arange(count, dtype=np.float64), length)


def matrix(maps: Taps, length: int) -> Float64:
    """Return the map as a matrix (S, length)."""
    dense = np.zeros((len(maps.index), length))
    for row, (index, weight) in enumerate(zip(maps.index, maps.weight, strict=True)):
        np.add.at(dense[row], index, weight)
    return dense


def picture(height: int, width: int) -> UInt8:
    random = np.random.default_rng(height * 1000 + width)
    return random.integers(0, 256, (height, width, 3), np.uint8)


@given(sizes, sizes, places, places)
@settings(deadline=None)
def test_a_picture_is_drawn_through_the_two_matrices_of_its_maps(
    height: int,
    width: int,
    down: tuple[int, float, float],
    across: tuple[int, float, float],
) -> None:
    image, rows, columns = (
        picture(height, width),
        taps(down, height),
        taps(across, width),
    )
    drawn = Resampler().resampled(image, rows, columns)
    expected = np.einsum(
        "iy,yxc,jx->cij", matrix(rows, height), image / 255, matrix(columns, width)
    )
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, expected, atol=1e-6)


@given(st.lists(st.tuples(sizes, sizes, places, places), max_size=5))
@settings(deadline=None, max_examples=30)
def test_memory_that_is_used_again_changes_nothing(
    jobs: list[tuple[int, int, tuple[int, float, float], tuple[int, float, float]]],
) -> None:
    kept = Resampler()
    for height, width, down, across in jobs:
        image = picture(height, width)
        rows, columns = taps(down, height), taps(across, width)
        fresh = Resampler().resampled(image, rows, columns)
        into = np.full_like(fresh, np.nan)
        assert kept.resampled(image, rows, columns, into) is into
        np.testing.assert_array_equal(into, fresh)


def test_results_are_not_part_of_the_memory() -> None:
    resampler, image = Resampler(), picture(30, 20)
    first = resampler.resampled(image, taps((9, 0, 1), 30), taps((9, 0, 1), 20))
    before = first.copy()
    resampler.resampled(255 - image, taps((9, 2, 1), 30), taps((9, 3, 1), 20))
    np.testing.assert_array_equal(first, before)
