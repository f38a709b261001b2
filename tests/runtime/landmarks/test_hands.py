from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pytest

from pixie_runtime.engines import AnyArray
from pixie_runtime.landmarks.hands import (
    HandTracker,
    SeenHand,
    assigned,
    other,
    overlap,
    region_of_hand,
)
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import HandLandmarks
from tests.runtime.landmarks.bodies import body_at
from tests.runtime.landmarks.engines import FixedEngine


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


class CountingEngine(FixedEngine):
    """Notes how many pictures it was asked about, and answers for each."""

    def __init__(self, outputs: dict[str, AnyArray]) -> None:
        super().__init__(outputs)
        self.asked: list[int] = []

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        count = len(inputs["image"])
        self.asked.append(count)
        return {
            name: np.repeat(array, count, axis=0)
            for name, array in super().infer(inputs).items()
        }


def hand_engine(score: float) -> CountingEngine:
    """Return a hand network that is always as sure."""
    return CountingEngine(
        {
            "landmarks": np.zeros((1, 21, 3), np.float32),
            "world": np.zeros((1, 21, 3), np.float32),
            "score": np.full((1, 1), score, np.float32),
            "handedness": np.full((1, 1), 0.5, np.float32),
        }
    )


def looks_at_arms(
    hands: CountingEngine, frames: int, beside: Executor | None = None
) -> list[int]:
    """Return on how many hands the network was run in each frame."""
    recrop = CountingEngine({"points": np.array([[[128, 128], [128, 0]]], np.float32)})
    other_network = FixedEngine({"nothing": np.zeros(0)})
    models = LandmarkModels(*(other_network,) * 3, recrop, hands, *(other_network,) * 3)
    tracker = HandTracker(models, beside=beside)
    for _ in range(frames):
        assert tracker.update(np.zeros((64, 64, 3), np.uint8), body_at(0)) == {}
    return hands.asked


def test_hands_long_gone_are_looked_for_in_turns() -> None:
    asked = looks_at_arms(hand_engine(score=0.01), frames=40)
    assert asked[:15] == [2] * 15
    assert asked[15:] == [1] * 25


def test_hands_that_may_be_there_are_looked_for_in_every_frame() -> None:
    assert looks_at_arms(hand_engine(score=0.3), frames=40) == [2] * 40


def test_hands_beside_each_other_are_looked_at_in_runs_of_their_own() -> None:
    with ThreadPoolExecutor(max_workers=1) as beside:
        asked = looks_at_arms(hand_engine(score=0.3), 5, beside)
    assert asked == [1] * 10
