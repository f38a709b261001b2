"""Faces as the datagrams of Apple's and Epic's Live Link Face app: values to bytes.

Unreal reads them without a plug-in. Their layout was never published; it is the one
that PyLiveLinkFace and independent decoders read:

    u32 LE  6                     version
    37 B    "$" and a UUID        of the device
    i32     length, then UTF-8    the subject's name
    i32     frames of the day     f32 part of a frame
    i32     frames a second       i32 denominator
    u8      61                    from here on missing: no face
    f32     61 values

big-endian but for the version. The values are ARKit's 52 weights and nine angles in
radians: yaw, pitch and roll of the head, the left eye and the right eye. The signs of
the head's (yaw to the person's left, pitch up, roll that lifts their left side) and of
the eyes' (yaw to the person's right, pitch down) differ, as in the app's own datagrams.
"""

import struct
import uuid

from pixie_runtime.face import FaceAngles, Turn
from pixie_runtime.face_ports import MAX_SUBJECT_BYTES
from pixie_runtime.types import Float32

FRAMES_PER_SECOND = 60
"""What times are counted in, as by the app; not how often a face is sent."""

_VERSION = 6
_VALUES = 61
_DAY_FRAMES = 24 * 60 * 60 * FRAMES_PER_SECOND
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pixie-live.invalid/live-link-face")


def face_datagram(
    subject: str, time_of_day_s: float, weights: Float32, angles: FaceAngles
) -> bytes:
    """Encode a face.

    Args:
        subject: The name that Unreal lists it under; at most 100 bytes in UTF-8.
        time_of_day_s: When the picture was taken, seconds since midnight.
        weights: Of ARKit's units, (52,), in the order of ARKIT_NAMES.
        angles: Of the head and the eyes.
    """
    values = (
        *weights.tolist(),
        *_of_head(angles.head),
        *_of_eye(angles.left_eye),
        *_of_eye(angles.right_eye),
    )
    return no_face_datagram(subject, time_of_day_s) + struct.pack(
        f">B{_VALUES}f", _VALUES, *values
    )


def no_face_datagram(subject: str, time_of_day_s: float) -> bytes:
    """Encode that the subject's face is not seen."""
    name = subject.encode()
    if len(name) > MAX_SUBJECT_BYTES:
        raise ValueError(f"a subject of {len(name)} bytes; at most {MAX_SUBJECT_BYTES}")
    frames = time_of_day_s * FRAMES_PER_SECOND % _DAY_FRAMES
    return b"".join(
        (
            struct.pack("<I", _VERSION),
            f"${device_id(subject)}".encode("ascii"),
            struct.pack(">i", len(name)),
            name,
            struct.pack(">if", int(frames), frames - int(frames)),
            struct.pack(">ii", FRAMES_PER_SECOND, 1),
        )
    )


def device_id(subject: str) -> uuid.UUID:
    """Return the number of the "device": the same whenever the subject is."""
    return uuid.uuid5(_NAMESPACE, subject)


def _of_head(turn: Turn) -> tuple[float, float, float]:
    return turn.yaw, -turn.pitch, turn.roll


def _of_eye(turn: Turn) -> tuple[float, float, float]:
    return -turn.yaw, turn.pitch, -turn.roll
