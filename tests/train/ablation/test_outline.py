"""What is seen of a person's outline, for drawn, photographed and moved people."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import Float32, PoseLandmarks, UInt8
from pixie_train.ablation.eyes import Eyes
from pixie_train.ablation.outline import OUTLINE_SIGHT, outline_pieces, taken_apart

FOOTAGE = Path(__file__).parents[2] / "footage"
SIDE = 256
METRE = 110.0
LEFT_ARM, RIGHT_ARM = 0, 4
"""Among the limbs."""
PLACES = {
    0: (0.0, -0.7),
    7: (0.08, -0.72),
    8: (-0.08, -0.72),
    11: (0.18, -0.5),
    12: (-0.18, -0.5),
    13: (0.45, -0.45),
    14: (-0.3, -0.25),
    15: (0.7, -0.4),
    16: (-0.25, 0.05),
    23: (0.1, 0.0),
    24: (-0.1, 0.0),
    25: (0.15, 0.4),
    26: (-0.1, 0.42),
    27: (0.2, 0.8),
    28: (-0.12, 0.82),
}
"""Metres about the hips, x to the right in the picture, y down; the front is seen."""
BONES = ((11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28))


def standing(angle: float = 0.0, size: float = 1.0) -> PoseLandmarks:
    """Return somebody who stands in the middle, turned in the picture, and grown."""
    world = np.zeros((33, 3), np.float32)
    for point, place in PLACES.items():
        world[point, :2] = place
    world = Region(0, 0, 1, angle).turned(world)
    image = world * METRE * size + (SIDE / 2, SIDE / 2, 0)
    seen = np.ones(33, np.float32)
    return PoseLandmarks(image.astype(np.float32), world, seen, seen, 1.0)


def drawn(pose: PoseLandmarks, *, trunk: float, limb: float) -> Float32:
    """Return logits of somebody whose trunk and limbs are that many pixels thick."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    at = pose.image[:, :2]

    def line(begins: Float32, ends: Float32, thickness: float) -> None:
        a, b = (np.rint(16 * p).astype(int).tolist() for p in (begins, ends))
        cv2.line(mask, a, b, 255, round(thickness), cv2.LINE_AA, 4)

    for begins, ends in BONES:
        line(at[begins], at[ends], limb)
    line(at[[11, 12]].mean(0), at[[23, 24]].mean(0), trunk)
    return mask.astype(np.float32) / np.float32(8) - np.float32(16)


@pytest.mark.parametrize(("angle", "size"), [(0.6, 1.0), (0.0, 0.75), (-2.0, 0.9)])
def test_who_is_turned_or_further_away_has_the_same_outline(
    angle: float, size: float
) -> None:
    here, there = standing(), standing(angle, size)
    seen = outline_pieces(drawn(here, trunk=44, limb=16), here)
    moved = drawn(there, trunk=44 * size, limb=16 * size)
    again = outline_pieces(moved, there)
    assert np.abs(seen - again).mean() < 0.03
    another = outline_pieces(drawn(here, trunk=56, limb=16), here)
    assert np.abs(seen - another).mean() > 0.045


def test_the_share_of_a_piece_is_how_thick_the_limb_is() -> None:
    pose = standing()
    for thickness in (10, 20, 30):
        _, *limbs, _ = taken_apart(
            outline_pieces(drawn(pose, trunk=40, limb=thickness), pose)
        )
        # The forearm and the upper arm, away from elbow and shoulder; 0.36 m across.
        share = limbs[LEFT_ARM + 1][2:6].mean()
        assert share == pytest.approx(thickness / (0.36 * METRE), abs=0.06)


def test_in_the_mirror_a_left_arm_is_the_right_one() -> None:
    pose = standing()
    logits = drawn(pose, trunk=40, limb=14)
    logits[:, SIDE // 2 + 60 :] = -16  # without the left hand
    swapped = np.arange(33)
    for left, right in ((7, 8), (11, 12), (13, 14), (15, 16), (23, 24), (25, 26)):
        swapped[[left, right]] = right, left
    swapped[[27, 28]] = 28, 27
    flip = np.array([-1, 1, 1], np.float32)
    image = (pose.image * flip + (SIDE - 1, 0, 0)).astype(np.float32)[swapped]
    seen = np.ones(33, np.float32)
    mirrored = PoseLandmarks(image, (pose.world * flip)[swapped], seen, seen, 1.0)
    _, *limbs, _ = taken_apart(outline_pieces(logits, pose))
    flipped = np.ascontiguousarray(logits[:, ::-1])
    _, *others, _ = taken_apart(outline_pieces(flipped, mirrored))
    for one, other in zip(limbs[RIGHT_ARM:], others[:RIGHT_ARM], strict=True):
        assert np.abs(one - other).max() < 0.05
    assert np.abs(limbs[LEFT_ARM + 1] - limbs[RIGHT_ARM + 1]).mean() > 0.1


@pytest.fixture(scope="module")
def eyes() -> Iterator[Eyes]:
    with closing(Eyes(outlines=True)) as eyes:
        yield eyes


def walker() -> UInt8:
    """Return the square about the man in a film's first picture."""
    clip = cv2.VideoCapture(str(FOOTAGE / "pose2sim_SinglePerson_cam02.mp4"))
    there, bgr = clip.read()
    assert there
    square = bgr[400:1140, 210:950]
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2RGB), np.uint8)


def test_somebody_in_a_film_fills_trunk_and_head_and_not_what_is_beside(
    eyes: Eyes,
) -> None:
    trunk, *limbs, head = taken_apart(eyes.body(walker()).seen[-OUTLINE_SIGHT:])
    assert trunk[6:14, 10:14].min() > 0.9, "breast and belly"
    assert trunk[6:14, [0, -1]].mean() < 0.3, "beside the arms"
    assert head[4:12, 7:9].mean() > 0.9
    assert head[:, [0, -1]].mean() < 0.3
    assert np.mean([limb[:, 5:7].mean() for limb in limbs]) > 0.7
    assert np.mean([limb[:, [0, -1]].mean() for limb in limbs]) < 0.4
