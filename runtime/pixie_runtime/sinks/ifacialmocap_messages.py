"""Faces as the datagrams of the iFacialMocap app: values to bytes.

One line of text for each frame (https://www.ifacialmocap.com/for-developer/):

    eyeBlink_L-12|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#rx,ry,rz|

Weights are whole per cent: receivers read nothing else. Angles are degrees about
ARKit's axes, positions metres in them: in the page's own example, eyes that look down
have a positive x, and eyes that look to the person's left a positive y.
"""

import math
from dataclasses import dataclass

from pixie_runtime.face import ARKIT_NAMES, FaceAngles, Turn
from pixie_runtime.types import Float32, Float64

_REQUEST = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
_SECOND_VERSION = b"|sendDataVersion=v2"
LONGEST_REQUEST_BYTES = len(_REQUEST + _SECOND_VERSION)

_UNPAIRED = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Units whose side is where they go, not which half of the face they are on."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a computer asks the app for."""

    separator: str
    """What it wants between names and values: `-`, or `&` in the second version."""


def parse_request(datagram: bytes) -> Request | None:
    """Return what a datagram asks for; None where it is something else."""
    if datagram == _REQUEST:
        return Request("-")
    if datagram == _REQUEST + _SECOND_VERSION:
        return Request("&")
    return None


def face_datagram(
    weights: Float32, angles: FaceAngles, place: Float64, *, separator: str = "-"
) -> bytes:
    """Encode a face.

    Args:
        weights: Of ARKit's units, (52,), in the order of ARKIT_NAMES.
        angles: Of the head and the eyes.
        place: Of the head in ARKit's camera axes, (3,), metres.
        separator: Between names and values.
    """
    units = [
        f"{unit_name(name)}{separator}{round(100 * weight)}"
        for name, weight in zip(ARKIT_NAMES, weights.tolist(), strict=True)
    ]
    return "|".join(
        (
            *units,
            f"=head#{_degrees(angles.head)},{_numbers(*place.tolist())}",
            f"rightEye#{_degrees(angles.right_eye)}",
            f"leftEye#{_degrees(angles.left_eye)}",
            "",
        )
    ).encode("ascii")


def unit_name(name: str) -> str:
    """Return the app's name of one of ARKit's units: eyeBlink_L for eyeBlinkLeft."""
    if name not in _UNPAIRED:
        for side in ("Left", "Right"):
            if name.endswith(side):
                return f"{name.removesuffix(side)}_{side[0]}"
    return name


def _degrees(turn: Turn) -> str:
    return _numbers(*map(math.degrees, (turn.pitch, turn.yaw, turn.roll)))


def _numbers(*values: float) -> str:
    return ",".join(f"{value:.5f}" for value in values)
