from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.sources.timeline import Timeline

Stamps = Iterable[float | None]


def times(stamps: Stamps, *, interval_s: float = 0.04) -> list[float]:
    timeline = Timeline(interval_s)
    return [timeline.next_s(stamp) for stamp in stamps]


def test_times_count_from_the_first_picture() -> None:
    assert times([7.0, 7.04, 7.1]) == pytest.approx([0, 0.04, 0.1])


def test_a_gap_is_kept() -> None:
    assert times([0.0, 0.04, 60.0, 60.04]) == pytest.approx([0, 0.04, 60, 60.04])


def test_a_clock_that_begins_anew_goes_on_one_interval_later() -> None:
    stamps = [5.0, 5.5, 6.0, 0.0, 0.5, 0.2, 0.6, 3.0, 1.0]
    expected = [0.0, 0.5, 1.0, 1.04, 1.54, 1.58, 1.98, 4.38, 4.42]
    assert times(stamps) == pytest.approx(expected)


def test_recordings_of_a_few_pictures_follow_one_another_too() -> None:
    few = [0.04 * index for index in range(6)]
    assert times(few * 3) == pytest.approx([0.04 * index for index in range(18)])


def test_pictures_out_of_order_do_not_draw_the_time_out() -> None:
    in_threes = [
        0.04 * (3 * group + place) for group in range(10) for place in (2, 0, 1)
    ]
    found = times([0.0, *(stamp + 0.04 for stamp in in_threes)])
    assert found[-1] == pytest.approx(0.04 * 30, abs=0.05)


@pytest.mark.parametrize("fps", [2, 5, 30])
def test_pictures_reordered_by_a_pyramid_take_their_own_time(fps: int) -> None:
    pyramid = [4, 2, 1, 3]  # how H.264 stores four pictures, the last one first
    order = [0, *(4 * group + place for group in range(12) for place in pyramid)]
    found = times([place / fps for place in order], interval_s=1 / fps)
    assert found[-1] == pytest.approx(48 / fps, abs=0.1)


def test_a_clock_that_stands_still_takes_the_smallest_steps() -> None:
    assert np.diff(times([1.0] * 400)) == pytest.approx(0.001)


def test_a_picture_without_a_stamp_comes_one_interval_later() -> None:
    assert times([None, None, 0.1, None]) == pytest.approx([0, 0.04, 0.1, 0.14])


@given(st.lists(st.none() | st.floats(-1e5, 1e5), min_size=1, max_size=30))
def test_time_only_goes_forward(stamps: list[float | None]) -> None:
    found = times(stamps)
    assert found[0] == 0
    assert (np.diff(found) > 0).all()


def test_the_end_is_one_mean_interval_after_the_last_picture() -> None:
    timeline = Timeline(0.04)
    timeline.next_s(0.0)
    assert timeline.end_s == 0.04
    timeline.next_s(0.1)
    assert timeline.end_s == pytest.approx(0.2)
    assert timeline.count == 2
