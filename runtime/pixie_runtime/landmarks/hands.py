"""Both hands, found through the body or by their palms, and followed.

With a body: HandLandmarksLeftAndRightCpu of MediaPipe Holistic. Without one:
PalmDetectionCpu and HandLandmarkTrackingCpu.

On a processor each hand has a core to itself, from the first crop to the last network:
nobody waits for the other's layers. Other engines see both hands in one run.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

import numpy as np

from pixie_runtime.engines import Engine
from pixie_runtime.landmarks.detector import PALM, Detection, Detector
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.regions import (
    Points,
    Region,
    TrackingLimits,
    cropped,
    rotation_between,
)
from pixie_runtime.types import Float32, HandLandmarks, PoseLandmarks, UInt8

T = TypeVar("T")
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

_POSE_WRIST = {"left": 15, "right": 16}
_POSE_PINKY = {"left": 17, "right": 18}
_POSE_INDEX = {"left": 19, "right": 20}
_MIN_WRIST_VISIBILITY = 0.1

_CROP_SIDE = 224
_RECROP_SIDE = 256
_DEPTH_SCALE = 0.4
_MIN_SCORE = 0.5
_CLEARLY_NONE = 0.1
_PATIENCE = 15
"""After so many looks that clearly showed no hand, every second frame will do."""
_UPWARDS = np.pi / 2
_LIMITS = TrackingLimits(degrees=40, translation=0.2, scale=0.4, margin=-0.1)
_PALM_POINTS = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
_INDEX_PIP, _MIDDLE_PIP, _RING_PIP = 6, 10, 14
_SAME_REGION_OVERLAP = 0.5
_SAME_HAND_DISTANCE = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class SeenHand:
    """What may be a hand, and the network's opinion of which one it is."""

    landmarks: HandLandmarks
    right_probability: float
    """That it is the person's own right hand, in a picture that is not mirrored.

    MediaPipe calls this "Left": it takes every picture for a mirrored selfie."""

    @property
    def is_there(self) -> bool:
        """Whether it is a hand at all."""
        return self.landmarks.score >= _MIN_SCORE

    def agreement(self, side: Side) -> float:
        """Return the probability that it is the hand of `side`."""
        right = self.right_probability
        return right if side == "right" else 1 - right

    def moved(self, shift: Float32) -> "SeenHand":
        """Return the same hand elsewhere in the picture; `shift` is (2,) pixels."""
        image = self.landmarks.image.copy()
        image[:, :2] += shift
        return replace(self, landmarks=replace(self.landmarks, image=image))


class HandModel:
    """The landmark network, for any number of hands at once; any thread may ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def landmarks(self, image: UInt8, regions: list[Region]) -> list[SeenHand]:
        """Return what is in each region; see `SeenHand.is_there`."""
        if not regions:
            return []
        crops = cropped(image, regions, _CROP_SIDE)
        outputs = self._engine.infer({"image": crops})
        return [
            self._hand(region, {name: array[i] for name, array in outputs.items()})
            for i, region in enumerate(regions)
        ]

    def _hand(self, region: Region, outputs: dict[str, Float32]) -> SeenHand:
        points = outputs["landmarks"] / _CROP_SIDE
        points[:, 2] /= _DEPTH_SCALE
        hand = HandLandmarks(
            image=region.to_image(points),
            world=region.turned(outputs["world"]),
            score=float(outputs["score"][0]),
        )
        return SeenHand(hand, float(outputs["handedness"][0]))


class HandTracker:
    """Follows a person's two hands."""

    def __init__(
        self, models: LandmarkModels, *, beside: Executor | None = None
    ) -> None:
        """Make use of the hands' networks.

        Args:
            models: the networks.
            beside: runs one hand while the caller runs the other; None: both in one
                run.
        """
        self._beside = beside
        self._model = HandModel(models.hand_landmark_full)
        self._recrop = models.hand_recrop
        self._palms = Detector(models.palm_detection_full, PALM)
        self._last: dict[Side, SeenHand] = {}
        self._arms: dict[Side, Float32] = {}
        self._frames_without: dict[Side, int] = dict.fromkeys(SIDES, 0)

    def reset(self) -> None:
        """Forget both hands."""
        self._last = {}
        self._arms = {}
        self._frames_without = dict.fromkeys(SIDES, 0)

    def swap_sides(self) -> None:
        """Take the left hand for the right one from now on, and the other way round."""
        self._last = {other(side): hand for side, hand in self._last.items()}
        self._arms = {other(side): place for side, place in self._arms.items()}
        self._frames_without = {other(s): n for s, n in self._frames_without.items()}

    def update(self, image: UInt8, pose: PoseLandmarks | None) -> dict[Side, SeenHand]:
        """Return the hands in `image` by the person's own side.

        With a pose its arms say where the hands are and which is which.
        """
        if pose is not None:
            found = self._on_arms(image, pose)
        else:
            found = self._on_their_own(image)
        self._remember(found, pose)
        return found

    def follow(self, pose: PoseLandmarks) -> dict[Side, SeenHand]:
        """Return the last hands, moved along with the arms; no network runs.

        Those that were not on an arm of a body when they were seen stay where they are.
        """
        moved = {
            side: hand.moved(_end_of_arm(pose, side) - self._arms[side])
            if side in self._arms
            else hand
            for side, hand in self._last.items()
        }
        self._remember(moved, pose)
        return moved

    def _remember(
        self, hands: dict[Side, SeenHand], pose: PoseLandmarks | None
    ) -> None:
        self._last = hands
        self._arms = {side: _end_of_arm(pose, side) for side in hands} if pose else {}

    def _on_arms(self, image: UInt8, pose: PoseLandmarks) -> dict[Side, SeenHand]:
        visible = [
            side
            for side in SIDES
            if pose.visibility[_POSE_WRIST[side]] > _MIN_WRIST_VISIBILITY
        ]
        sides = [side for side in visible if self._is_due(side)]
        arms = [(side, region_on_arm(pose, side)) for side in sides]
        seen = self._beside_each_other(partial(self._look, image), arms)
        looks = dict(zip(sides, seen, strict=True))
        for side in visible:
            clear = side not in looks or looks[side].landmarks.score < _CLEARLY_NONE
            self._frames_without[side] = self._frames_without[side] + 1 if clear else 0
        hands = {side: hand for side, hand in looks.items() if hand.is_there}
        return _without_duplicate(hands, pose)

    def _is_due(self, side: Side) -> bool:
        """Whether to look for a hand in this frame; both missing, they take turns."""
        frames = self._frames_without[side]
        return frames < _PATIENCE or frames % len(SIDES) == SIDES.index(side)

    def _beside_each_other(
        self, look: Callable[[list[T]], list[SeenHand]], hands: list[T]
    ) -> list[SeenHand]:
        """Return what `look` sees of the hands, asked for all at once or for each."""
        if self._beside is None or len(hands) < 2:
            return look(hands)
        others = self._beside.submit(look, hands[1:])
        return [*look(hands[:1]), *others.result()]

    def _look(self, image: UInt8, arms: list[tuple[Side, Region]]) -> list[SeenHand]:
        """Return what is at the ends of arms."""
        regions = self._recropped(image, [region for _, region in arms])
        for index, (side, _) in enumerate(arms):
            last = self._last.get(side)
            if last is not None:
                image_points = last.landmarks.image
                followed = region_of_hand(image_points)
                if _LIMITS.hold(followed, image_points, regions[index]):
                    regions[index] = followed
        return self._model.landmarks(image, regions)

    def _recropped(self, image: UInt8, regions: list[Region]) -> list[Region]:
        """Return where the recrop network sees the hands in the arms' regions."""
        if not regions:
            return []
        crops = cropped(image, regions, _RECROP_SIDE)
        points = self._recrop.infer({"image": crops})["points"]
        return list(map(region_of_recrop, regions, points))

    def _on_their_own(self, image: UInt8) -> dict[Side, SeenHand]:
        last = [hand.landmarks for hand in self._last.values()]
        regions = [region_of_hand(hand.image) for hand in last]
        if len(regions) < len(SIDES):
            for palm in self._palms.detect(image):
                region = region_of_palm(palm)
                if all(overlap(region, r) < _SAME_REGION_OVERLAP for r in regions):
                    regions.append(region)
        look = partial(self._model.landmarks, image)
        seen = self._beside_each_other(look, regions[: len(SIDES)])
        return assigned([hand for hand in seen if hand.is_there])


def assigned(hands: list[SeenHand]) -> dict[Side, SeenHand]:
    """Give up to two hands to the two sides by the network's own opinion."""
    if len(hands) == 2:
        left, right = sorted(hands, key=lambda hand: hand.right_probability)
        if not _is_same_hand(left.landmarks, right.landmarks):
            return {"left": left, "right": right}
        hands = [max(hands, key=lambda hand: hand.landmarks.score)]
    return {"right" if hand.right_probability > 0.5 else "left": hand for hand in hands}


def region_on_arm(pose: PoseLandmarks, side: Side) -> Region:
    """Return where the arm ends in a hand (HandLandmarksFromPoseToRecropRoi)."""
    wrist = pose.image[_POSE_WRIST[side], :2]
    index = pose.image[_POSE_INDEX[side], :2]
    pinky = pose.image[_POSE_PINKY[side], :2]
    middle = (2 * index + pinky) / 3
    size = 2 * float(np.hypot(*(middle - wrist)))
    rotation = rotation_between(wrist, middle, target=_UPWARDS)
    # A square of `size` on the middle knuckle, shifted on towards the fingertips.
    corner = np.array([size / 2, size / 2], np.float32)
    box = np.stack([middle - corner, middle + corner])
    return Region.around(box, rotation, scale=2.7, shift=-0.1)


def region_of_recrop(region: Region, points: Float32) -> Region:
    """Return where the recrop network sees the hand in a region.

    Args:
        region: what it was shown.
        points: (2, 2), what it says: the hand's middle and rim in pixels of its crop.
    """
    centre, rim = region.to_image(points / _RECROP_SIDE)
    return Region.aligned(centre, rim, target=-_UPWARDS, scale=1.0, shift=-0.1)


def region_of_palm(palm: Detection) -> Region:
    """Return the hand's square from its palm (PalmDetectionDetectionToRoi)."""
    rotation = rotation_between(palm.points[0], palm.points[2], target=_UPWARDS)
    return Region.around(palm.box, rotation, scale=2.6, shift=-0.5)


def region_of_hand(landmarks: Points) -> Region:
    """Return the hand's square from its landmarks (HandLandmarksToRoi)."""
    points = landmarks[:, :2]
    knuckles = (points[_INDEX_PIP] + points[_RING_PIP]) / 2
    knuckles = (knuckles + points[_MIDDLE_PIP]) / 2
    rotation = rotation_between(points[0], knuckles, target=_UPWARDS)
    palm = points[list(_PALM_POINTS)]
    upright = Region(0, 0, 1, -rotation).turned(palm)
    square = Region.around(upright, 0.0, scale=2.0, shift=-0.1)
    x, y = Region(0, 0, 1, rotation).turned(np.array([square.x, square.y])).tolist()
    return Region(x, y, square.size, rotation)


def overlap(a: Region, b: Region) -> float:
    """Return the intersection over union of two squares, their turn left aside."""
    width = min(a.x + a.size / 2, b.x + b.size / 2)
    width -= max(a.x - a.size / 2, b.x - b.size / 2)
    height = min(a.y + a.size / 2, b.y + b.size / 2)
    height -= max(a.y - a.size / 2, b.y - b.size / 2)
    shared = max(width, 0) * max(height, 0)
    return float(shared / max(a.size**2 + b.size**2 - shared, 1e-12))


def other(side: Side) -> Side:
    """Return the other side."""
    return "right" if side == "left" else "left"


def _end_of_arm(pose: PoseLandmarks, side: Side) -> Float32:
    """Return where the pose has a hand: the mean of wrist and knuckles, (2,) pixels."""
    points = [places[side] for places in (_POSE_WRIST, _POSE_PINKY, _POSE_INDEX)]
    return np.asarray(pose.image[points, :2].mean(axis=0), np.float32)


def _is_same_hand(a: HandLandmarks, b: HandLandmarks) -> bool:
    size = max(np.ptp(hand.image[:, :2], axis=0).max() for hand in (a, b))
    distance = np.hypot(*(a.image - b.image)[:, :2].T).mean()
    return bool(distance < _SAME_HAND_DISTANCE * max(size, 1e-6))


def _without_duplicate(
    hands: dict[Side, SeenHand], pose: PoseLandmarks
) -> dict[Side, SeenHand]:
    """Keep one hand once: where both arms led to the same, the nearer arm has it.

    Two palms pressed together lie on one another in the picture too, but there the
    network takes one for a left and the other for a right hand.
    """
    if len(hands) < 2:
        return hands
    left, right = hands["left"], hands["right"]
    agree = (left.right_probability > 0.5) == (right.right_probability > 0.5)
    if not agree or not _is_same_hand(left.landmarks, right.landmarks):
        return hands

    def distance(side: Side) -> float:
        offset = hands[side].landmarks.image[0] - pose.image[_POSE_WRIST[side]]
        return float(np.hypot(offset[0], offset[1]))

    nearer = min(SIDES, key=distance)
    return {nearer: hands[nearer]}
