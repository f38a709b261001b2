"""Head and hands of a person, each looked at by its expert where it is and when due."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime.attention import (
    ATTENDED_PARTS,
    AttendedPart,
    LastSight,
    coarse_squares,
    found_points,
    part_square,
)
from pixie_runtime.confidence import detector_scores
from pixie_runtime.crops import BodyView, Crop, Square
from pixie_runtime.image_networks import ImageNetworks
from pixie_runtime.rates import RatedPart, Rates
from pixie_runtime.types import Float32, Frame, PersonLandmarks

Attention = Literal["tracked", "two-pass"]
ATTENTIONS: tuple[Attention, ...] = ("tracked", "two-pass")

_HANDS: tuple[AttendedPart, ...] = ("left_hand", "right_hand")
_RATED: dict[AttendedPart, RatedPart] = {
    "head": "head",
    "left_hand": "hands",
    "right_hand": "hands",
}
_GUESS_VISIBLE = 0.25
"""A part that nobody found is looked at if so much of its square is in the picture."""
_POSE_OF_PART: dict[AttendedPart, list[int]] = {
    "head": [0, 2, 5, 7, 8],
    "left_hand": [15, 17, 19, 21],
    "right_hand": [16, 18, 20, 22],
}
"""The pose's landmarks whose visibility stands for that of a part."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyLook:
    """What the body's network made of its last look."""

    F_b: Float32
    """(1, n)"""
    view: BodyView
    """Where it looked: its feature is about this square."""
    torso: Float32 | None
    """Where the torso was then, (2,) pixels, if that was known."""


@dataclass(frozen=True, slots=True, eq=False)
class PartLook:
    """What an expert made of the last look at its part."""

    feature: Float32
    """(1, n)"""
    score: float
    """How sure it was that the part was there, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part is looked for."""

    view: BodyView
    square: Square
    """Pixels of the view's finer picture."""


class PartExperts:
    """Follows a person's head and hands; between two looks the last one counts."""

    def __init__(
        self, networks: ImageNetworks, attention: Attention, rates: Rates
    ) -> None:
        """Make use of networks `head`, `hand` and `coarse`."""
        self._networks = networks
        self._attention = attention
        self._rates = rates
        size = networks.crops.size
        # One for each part, the two hands side by side: a batch as they stand.
        self._images = np.zeros((len(ATTENDED_PARTS), 3, size, size), np.float32)
        self._looks: dict[AttendedPart, PartLook | None] = {}

    def looks(
        self,
        landmarks: PersonLandmarks,
        frame: Frame,
        view: BodyView,
        body: BodyLook,
        last: LastSight | None,
        number: int,
    ) -> list[PartLook | None]:
        """Return the last look at head, left and right hand; None where none is seen.

        Args:
            landmarks: of the person, in this frame.
            frame: the picture.
            view: the person's square in it.
            body: what the body's network saw, in this frame or a few before.
            last: the person as last estimated, if that was a moment ago.
            number: of the frame, counted since the person was found.
        """
        due = [p for p in ATTENDED_PARTS if self._rates.due(_RATED[p], number)]
        places = self._places(due, landmarks, view, body, last)
        scores = dict(
            zip(ATTENDED_PARTS, detector_scores(landmarks).tolist(), strict=True)
        )
        seen: dict[AttendedPart, float] = {}
        for part in due:
            self._looks[part] = None
            place = places[part]
            if place is not None and self._crop(frame, place, part, scores[part]):
                seen[part] = scores[part] or _visibility(landmarks, part)
        self._ask("head", "F_f", [part for part in seen if part == "head"], seen)
        self._ask("hand", "F_h", [part for part in seen if part in _HANDS], seen)
        return [self._looks[part] for part in ATTENDED_PARTS]

    def _places(
        self,
        parts: Sequence[AttendedPart],
        landmarks: PersonLandmarks,
        view: BodyView,
        body: BodyLook,
        last: LastSight | None,
    ) -> dict[AttendedPart, _Place | None]:
        """Return where each part is looked for."""
        places: dict[AttendedPart, _Place | None] = dict.fromkeys(parts)
        if self._attention == "tracked":
            for part in parts:
                points = found_points(landmarks, part)
                if points is None and last is not None:
                    points = last.points(part)
                square = None if points is None else part_square(view, points, part)
                places[part] = None if square is None else _Place(view, square)
        if None in places.values():
            boxes = self._networks.infer("coarse", F_b=body.F_b)["boxes"][0]
            guesses = zip(ATTENDED_PARTS, coarse_squares(boxes), strict=True)
            for part, square in guesses:
                if part in places and places[part] is None and square is not None:
                    places[part] = _Place(body.view, square)
        return places

    def _crop(
        self, frame: Frame, place: _Place, part: AttendedPart, found: float
    ) -> Crop | None:
        """Cut a part out for its expert; None if not enough of it is in the picture."""
        # The hands' network knows right hands; its results come back unmirrored.
        crop = place.view.part(
            frame.image,
            place.square,
            mirrored=part == "left_hand",
            into=self._images[ATTENDED_PARTS.index(part)],
        )
        guessed = self._attention == "tracked" and not found
        return crop if crop.visible > (_GUESS_VISIBLE if guessed else 0.0) else None

    def _ask(
        self,
        network: str,
        output: str,
        parts: Sequence[AttendedPart],
        scores: dict[AttendedPart, float],
    ) -> None:
        """Show an expert the crops of neighbouring parts and keep what it says."""
        if not parts:
            return
        first = ATTENDED_PARTS.index(parts[0])
        images = self._images[first : first + len(parts)]
        features = self._networks.infer(network, image=images)[output]
        for i, part in enumerate(parts):
            self._looks[part] = PartLook(features[i : i + 1], scores[part])


def _visibility(landmarks: PersonLandmarks, part: AttendedPart) -> float:
    """Return how visible the pose's landmarks on a part are; 0 without a pose."""
    if landmarks.pose is None:
        return 0.0
    return float(landmarks.pose.visibility[_POSE_OF_PART[part]].mean())
