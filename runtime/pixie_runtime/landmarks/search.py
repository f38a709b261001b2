"""Looking for bodies in a picture: all of it, and parts of it."""

import math
from collections.abc import Iterable, Sequence
from itertools import product

import cv2
import numpy as np

from pixie_runtime.landmarks.detector import POSE, Detector
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.pose import body_region
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import PoseLandmarks, UInt8

_LONGER = 1.25
"""Longer side by shorter of a picture that is not nearly square."""
_CORNER = 0.7
"""Of a nearly square picture, the side of a square in its corner."""
_MOST_PARTS = 7
_FITS = 1.3
"""Side of a body's square, in sides of the part that it was seen in. People mostly have
1.25 and less, two hands that filled their pictures had 1.5 and 3."""
_MARGIN = 0.05
"""Around the landmarks of a body that is hidden, of its height."""
_GREY = (110, 110, 110)


class BodySearch:
    """Looks for bodies with the detector.

    In a whole picture it finds nobody who is small, and at times none of several; so
    where it finds none there, it looks into one part of the picture too, a frame later
    into the next, and in a first picture into all of them.
    """

    def __init__(self, models: LandmarkModels) -> None:
        self._detector = Detector(models.pose_detection, POSE)
        self._turn = 0

    def reset(self) -> None:
        """Take the next picture for the first."""
        self._turn = 0

    def find(self, image: UInt8) -> Sequence[Region]:
        """Return the square of each body, the surest first."""
        whole, *parts = places(image)
        turn, self._turn = self._turn, self._turn + 1
        if turn and parts:
            parts = [parts[turn % len(parts)]]
        for place in (whole, *parts):
            found = self.find_in(place, image)
            if found:
                return found
        return ()

    def find_in(self, place: Region, image: UInt8) -> Sequence[Region]:
        """Return the square of each body that is seen in a place of a picture.

        In parts of it only people who fit in there: others were seen in the whole, and
        what looks like one is the palm of a hand.
        """
        found = self._detector.detect(image, place)
        bodies = [body_region(*one.points[:2]) for one in found]
        if place.size >= max(image.shape[:2]):
            return bodies
        return [body for body in bodies if body.size <= _FITS * place.size]


def places(image: UInt8) -> Sequence[Region]:
    """Return the squares to look for bodies in: the whole picture, then its parts.

    The parts are as wide as its shorter side, half of each in the next: three of what a
    camera sees, `_MOST_PARTS` of a strip. Of a picture that is nearly square they are
    smaller, one in each corner.
    """
    height, width = image.shape[:2]
    whole, longer = Region.whole(image), max(width, height)
    side = max(min(width, height), 2 * longer / (_MOST_PARTS + 1))
    if longer < _LONGER * side:
        side = _CORNER * longer
        across = (side / 2, width - side / 2), (side / 2, height - side / 2)
        return [whole, *(Region(x, y, side, 0.0) for x, y in product(*across))]
    parts = 2 * math.ceil(longer / side) - 1
    middles = np.linspace(side / 2, longer - side / 2, parts).tolist()
    if width > height:
        return [whole, *(Region(x, height / 2, side, 0.0) for x in middles)]
    return [whole, *(Region(width / 2, y, side, 0.0) for y in middles)]


def without(image: UInt8, bodies: Iterable[PoseLandmarks | None]) -> UInt8:
    """Return the picture with a grey patch over each body.

    The detector looks for the one person whom a picture is of: it finds the next when
    it does not see the first.
    """
    rest = image
    for body in bodies:
        if body is None:
            continue
        if rest is image:
            rest = image.copy()
        points = body.image[:, :2]
        outline = cv2.convexHull(points.astype(np.int32))
        margin = max(round(_MARGIN * float(np.ptp(points, axis=0).max())), 1)
        cv2.fillConvexPoly(rest, outline, _GREY)
        # OpenCV draws no lines wider than that.
        cv2.polylines(rest, [outline], True, _GREY, min(2 * margin, 32767))
    return rest
