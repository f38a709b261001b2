import numpy as np
import pytest

from pixie_runtime.landmarks.hands import (
    SeenHand,
    assigned,
    other,
    overlap,
    region_of_hand,
)
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import HandLandmarks


def hand(x: float, *, right: float, score: float = 0.9) -> SeenHand:
    """Return an open hand at x, fingers up."""
    points = np.zeros((21, 3), np.float32)
    for finger in range(5):
        for joint in range(4):
            points[1 + 4 * finger + joint] = (10 * finger - 20, -40 - 15 * joint, 0)
    points[:, 0] += x
    points[:, 1] += 300
    landmarks = HandLandmarks(image=points, world=points * 0.001, score=score)
    return SeenHand(landmarks, right)


def test_hands_without_a_body_get_their_sides_from_the_network() -> None:
    left, right = hand(100, right=0.2), hand(300, right=0.9)
    found = assigned([right, left])
    assert found == {"left": left, "right": right}


def test_two_hands_of_the_same_opinion_still_get_one_side_each() -> None:
    surer, less = hand(100, right=0.95), hand(300, right=0.7)
    assert assigned([surer, less]) == {"left": less, "right": surer}


def test_one_hand_seen_twice_is_one_hand() -> None:
    first, second = hand(100, right=0.9), hand(101, right=0.8, score=0.95)
    assert assigned([first, second]) == {"right": second}


def test_no_hands_are_no_hands() -> None:
    assert assigned([]) == {}


def test_other_side_of_the_other_side_is_the_side() -> None:
    assert [other("left"), other(other("left"))] == ["right", "left"]


def test_region_of_a_hand_stands_upright_around_it_with_room_for_motion() -> None:
    seen = hand(100, right=0.9).landmarks
    region = region_of_hand(seen.image)
    assert region.rotation == pytest.approx(0, abs=0.2)
    assert region.contains(seen.image, margin=0)


@pytest.mark.parametrize("turn", [0.5, 1.6, -2.5])
def test_region_turns_with_the_hand(turn: float) -> None:
    seen = hand(0, right=0.9).landmarks.image
    upright = region_of_hand(seen)
    turned = seen.copy()
    turned[:, :2] = Region(0, 0, 1, turn).turned(seen[:, :2])
    region = region_of_hand(turned)
    assert region.size == pytest.approx(upright.size, rel=1e-3)
    difference = (region.rotation - upright.rotation - turn + np.pi) % (2 * np.pi)
    assert difference - np.pi == pytest.approx(0, abs=1e-4)
    centre = Region(0, 0, 1, turn).turned(np.array([upright.x, upright.y]))
    np.testing.assert_allclose([region.x, region.y], centre, atol=1e-2)


def test_overlap_is_one_with_itself_and_nothing_far_away() -> None:
    a = Region(10, 10, 4, 0.3)
    assert overlap(a, a) == pytest.approx(1)
    assert overlap(a, Region(100, 10, 4, 0)) == 0
    assert overlap(a, Region(12, 10, 4, 0)) == pytest.approx(1 / 3)
