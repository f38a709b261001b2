"""Both resamplers draw what the matrices of their maps say."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.resampling import (
    Draws,
    Resampler,
    Taps,
    WarmingResampler,
    open_resampler,
)
from pixie_runtime.types import Float64, UInt8

needs_numba = pytest.mark.skipif(
    find_spec("numba") is None, reason="the extra fast is not installed"
)


@cache
def compiled() -> Draws:
    from pixie_runtime.compiled_resampling import CompiledResampler

    return CompiledResampler()


both = pytest.mark.parametrize(
    "make", [Resampler, pytest.param(compiled, marks=needs_numba)]
)

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


@both
@given(sizes, sizes, places, places)
@settings(deadline=None)
def test_a_picture_is_drawn_through_the_two_matrices_of_its_maps(
    make: Callable[[], Draws],
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
    drawn = make().resampled(image, rows, columns)
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


@both
def test_pictures_may_be_cut_out_turned_over_and_read_only(
    make: Callable[[], Draws],
) -> None:
    image = picture(30, 20)
    rows, columns = taps((9, 2, 1.5), 10), taps((7, 1, 0.8), 8)
    part = image[19:9:-1, 16:8:-1]
    part.setflags(write=False)
    drawn = make().resampled(part, rows, columns)
    expected = make().resampled(np.ascontiguousarray(part), rows, columns)
    np.testing.assert_array_equal(drawn, expected)


@both
def test_a_map_of_a_map_is_drawn_into_memory_that_is_there(
    make: Callable[[], Draws],
) -> None:
    image = picture(30, 20)
    rows = taps((9, 2.2, 0.3), 12).of(taps((12, -1, 2.5), 30))
    columns = taps((8, 0.1, 0.9), 10).of(taps((10, 1, 2.1), 20)).reversed()
    into = np.full((3, 9, 8), np.nan, np.float32)
    assert make().resampled(image, rows, columns, into) is into
    fresh = make().resampled(image, rows, columns)
    np.testing.assert_array_equal(into, fresh)


@needs_numba
def test_crops_come_at_once_and_the_compiled_loops_take_over(tmp_path: Path) -> None:
    resampler, image = open_resampler(tmp_path), picture(30, 20)
    rows, columns = taps((9, 0, 1.3), 30), taps((9, 0, 1.7), 20)
    first = resampler.resampled(image, rows, columns)
    assert isinstance(resampler, WarmingResampler)
    assert resampler.wait(timeout_s=60)
    assert list(tmp_path.rglob("*.nbc"))
    later = resampler.resampled(image, rows, columns)
    np.testing.assert_allclose(later, first, atol=1e-6)


@needs_numba
def test_damaged_loops_in_the_cache_are_compiled_again(tmp_path: Path) -> None:
    from pixie_runtime.compiled_resampling import CompiledResampler

    CompiledResampler(tmp_path)
    for file in tmp_path.rglob("*.nb?"):
        file.write_bytes(b"damaged")
    image, rows, columns = picture(5, 5), taps((3, 0, 1), 5), taps((3, 0, 1), 5)
    again = CompiledResampler(tmp_path).resampled(image, rows, columns)
    np.testing.assert_allclose(again, image[:3, :3].transpose(2, 0, 1) / 255, atol=1e-6)
