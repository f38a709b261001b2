"""The squares that networks look at: of the body, of each hand, of the face."""

import numpy as np

from pixie_runtime.attention import person_box
from pixie_runtime.landmarks.face import region_of_face
from pixie_runtime.landmarks.hands import region_of_hand
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import Float32, PersonLandmarks

SQUARES = ("body", "left_hand", "right_hand", "face")
"""Their names, in the order in which they are sent."""

_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def squares_of(
    landmarks: PersonLandmarks, size_px: tuple[int, int]
) -> dict[str, Float32]:
    """Return where the parts of one person are cut out, as corners (4, 2) in pixels.

    Hands and face: the turned squares that their landmarks lead to, which are the
    crops that the next frame is looked at in. Body: the person's box.
    """
    squares = {}
    box = person_box(landmarks, size_px)
    if box is not None:
        low, sides = np.array([box.left, box.top], np.float32), box.sides
        squares["body"] = low + _CORNERS * np.array(sides, np.float32)
    for name in ("left_hand", "right_hand"):
        hand = getattr(landmarks, name)
        if hand is not None:
            squares[name] = _corners(region_of_hand(hand.image))
    if landmarks.face is not None:
        squares["face"] = _corners(region_of_face(landmarks.face.image))
    return squares


def _corners(region: Region) -> Float32:
    return region.to_image(_CORNERS)
