import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.landmarks.regions import (
    Region,
    TrackingLimits,
    cropped,
    normalised,
    rotation_between,
)

regions = st.builds(
    Region,
    x=st.floats(-500, 2000),
    y=st.floats(-500, 2000),
    size=st.floats(1, 3000),
    rotation=st.floats(-3.1, 3.1),
)
angles = st.floats(-20, 20)


@given(regions)
def test_middle_of_the_square_is_its_centre(region: Region) -> None:
    centre = region.to_image(np.array([[0.5, 0.5, 0.0]]))
    np.testing.assert_allclose(centre, [[region.x, region.y, 0]], atol=1e-2)


@given(regions)
def test_square_keeps_lengths_and_depth_in_proportion(region: Region) -> None:
    points = region.to_image(np.array([[0, 0, 0], [1, 0, 0.25], [1, 1, 0.5]]))
    sides = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
    np.testing.assert_allclose(sides, region.size, rtol=1e-3)
    np.testing.assert_allclose(
        points[:, 2], np.array([0, 0.25, 0.5]) * region.size, rtol=1e-5
    )


@given(angles)
def test_normalised_angle_is_the_same_direction(angle: float) -> None:
    found = normalised(angle)
    assert -np.pi <= found < np.pi
    assert np.cos(found) == pytest.approx(np.cos(angle), abs=1e-6)
    assert np.sin(found) == pytest.approx(np.sin(angle), abs=1e-6)


def test_upright_direction_needs_no_turn_towards_up() -> None:
    up = rotation_between(np.array([0, 10.0]), np.array([0, 0.0]), target=np.pi / 2)
    right = rotation_between(np.array([0.0, 0]), np.array([5.0, 0]), target=np.pi / 2)
    assert up == pytest.approx(0)
    assert right == pytest.approx(np.pi / 2)


def test_crop_shows_what_lies_at_its_mapped_points() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[40:50, 100:110] = 255
    region = Region(105, 45, 40, 0.7)
    crop = region.crop(image, 64)
    assert crop[32, 32].tolist() == [255, 255, 255]
    assert crop[2, 2].tolist() == [0, 0, 0]


def test_turned_crop_brings_the_rim_to_the_top() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[95:105, 150:160] = 255
    centre, rim = np.array([100.0, 100]), np.array([155.0, 100])
    crop = Region.aligned(centre, rim, target=np.pi / 2, scale=1.25).crop(image, 100)
    rows, columns = np.nonzero(crop[..., 0])
    assert rows.mean() == pytest.approx(10, abs=2)
    assert columns.mean() == pytest.approx(50, abs=2)


def test_outside_of_the_picture_is_black_or_its_border() -> None:
    image = np.full((10, 10, 3), 200, np.uint8)
    region = Region(0, 0, 40, 0)
    assert region.crop(image, 16, black_outside=True)[0, 0].tolist() == [0, 0, 0]
    assert region.crop(image, 16)[0, 0].tolist() == [200, 200, 200]


@given(
    st.builds(
        Region,
        x=st.floats(0, 80),
        y=st.floats(0, 60),
        size=st.floats(1, 120),
        rotation=st.floats(-3.1, 3.1),
    )
)
def test_nothing_from_outside_gets_into_a_crop_at_the_pictures_edge(
    region: Region,
) -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    assert (region.crop(image, 24) == 200).all()


def test_whole_picture_is_letterboxed() -> None:
    region = Region.whole(np.zeros((100, 300, 3), np.uint8))
    assert (region.x, region.y, region.size) == (150, 50, 300)


def test_square_around_points_takes_the_longer_side_and_shifts_along_its_own_axis() -> (
    None
):
    points = np.array([[0.0, 0], [10, 20]])
    square = Region.around(points, np.pi / 2, scale=2, shift=-0.5)
    assert square.size == 40
    assert square.x == pytest.approx(15)
    assert square.y == pytest.approx(10)


@given(regions)
def test_square_contains_its_inside_and_not_its_outside(region: Region) -> None:
    inside = region.to_image(np.array([[0.1, 0.1], [0.9, 0.5]]))
    outside = region.to_image(np.array([[0.5, 0.5], [1.2, 0.5]]))
    assert region.contains(inside, margin=0)
    assert not region.contains(outside, margin=0)


LIMITS = TrackingLimits(degrees=40, translation=0.2, scale=0.4, margin=-0.1)
NEW = Region(100, 100, 50, 0.1)


@pytest.mark.parametrize(
    ("last", "holds"),
    [
        (Region(101, 99, 52, 0.2), True),
        (Region(101, 99, 52, 1.2), False),
        (Region(115, 99, 52, 0.2), False),
        (Region(101, 99, 90, 0.2), False),
    ],
    ids=["little", "turned", "moved", "grown"],
)
def test_last_region_is_used_again_while_it_fits(last: Region, holds: bool) -> None:
    points = NEW.to_image(np.array([[0.3, 0.3], [0.6, 0.6]]))
    assert LIMITS.hold(last, points, NEW) is holds


def test_last_region_is_given_up_when_its_points_leave_the_new_one() -> None:
    points = NEW.to_image(np.array([[0.5, 0.5], [0.99, 0.5]]))
    assert not LIMITS.hold(NEW, points, NEW)


def test_batch_holds_the_same_pictures_as_single_crops() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    regions = [Region(40, 30, 50, 0.4), Region(110, 80, 70, -2.0)]
    batch = cropped(image, regions, 32)
    for region, crop in zip(regions, batch, strict=True):
        np.testing.assert_array_equal(crop, region.crop(image, 32))
