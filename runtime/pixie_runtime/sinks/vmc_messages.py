"""People as VMC 3.1 messages: pure functions from values to bytes.

The protocol is sh-akira's (protocol.vmc.info); `docs/vmc.md` says what is sent and how
receivers take it. Types are exact, because receivers ignore what they do not expect:
flags are 32-bit integers, numbers 32-bit floats; never booleans or doubles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from pixie_runtime.humanoid import BONE_NAMES
from pixie_runtime.humanoid_root import RootedPose
from pixie_runtime.types import PARTS, Float32, Person

_FIRST_BONES = (
    *("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"),
    *("LeftShoulder", "RightShoulder", "LeftUpperArm", "RightUpperArm"),
    *("LeftLowerArm", "RightLowerArm", "LeftHand", "RightHand"),
    *("LeftUpperLeg", "RightUpperLeg", "LeftLowerLeg", "RightLowerLeg"),
    *("LeftFoot", "RightFoot", "LeftToes", "RightToes"),
)
"""What matters most, so that it shares the first datagram as far as there is room."""
_BONE_ORDER = tuple(
    BONE_NAMES.index(name) for name in dict.fromkeys((*_FIRST_BONES, *BONE_NAMES))
)


class Calibration(IntEnum):
    """How far the sender is calibrated, by the protocol's numbers."""

    UNCALIBRATED = 0
    WAITING = 1
    CALIBRATING = 2
    CALIBRATED = 3


@dataclass(frozen=True, slots=True)
class Status:
    """What a receiver is told of the sender in every frame, people or not."""

    loaded: bool
    """Whether bones are sent, or were: somebody has been seen."""
    calibration: Calibration
    tracking: bool
    """Whether somebody is in view."""
    time_s: float
    """Capture time in seconds since the stream began; as a 32-bit float it would lose
    whole seconds if it counted from 1970."""


def status_messages(status: Status) -> Iterator[bytes]:
    """Encode `/VMC/Ext/OK` and `/VMC/Ext/T`, which receivers tell a live sender by."""
    flags = (int(status.loaded), int(status.calibration), 0, int(status.tracking))
    yield _head("/VMC/Ext/OK", "iiii") + np.array(flags, ">i4").tobytes()
    yield _head("/VMC/Ext/T", "f") + _floats(status.time_s)


def pose_messages(pose: RootedPose) -> Iterator[bytes]:
    """Encode `/VMC/Ext/Root/Pos` and the 55 `/VMC/Ext/Bone/Pos`, the core body first.

    Every bone has its true place relative to its parent: receivers that apply places
    would else fold the avatar up.
    """
    root = np.concatenate([pose.root_position, pose.root_rotation])
    yield _head("/VMC/Ext/Root/Pos", "sfffffff", "root") + _floats(root)
    bones = pose.bones
    rows = np.concatenate([bones.positions, bones.rotations], axis=1).astype(">f4")
    for bone in _BONE_ORDER:
        head = _head("/VMC/Ext/Bone/Pos", "sfffffff", BONE_NAMES[bone])
        yield head + rows[bone].tobytes()


def expression_messages(expressions: Mapping[str, float]) -> Iterator[bytes]:
    """Encode `/VMC/Ext/Blend/Val` of each expression, then `/VMC/Ext/Blend/Apply`.

    All of them every time, zeros too: some receivers forget those not sent anew.
    """
    for name, value in expressions.items():
        yield _head("/VMC/Ext/Blend/Val", "sf", name) + _floats(value)
    yield _head("/VMC/Ext/Blend/Apply", "")


def own_messages(person: Person, latency_ms: float) -> Iterator[bytes]:
    """Encode what VMC has no words for, in its `/VMC/Thru/`: who, how sure, how late.

    Args:
        person: Whose number and confidences are sent.
        latency_ms: From grabbing the picture until now.
    """
    yield _own("person", "track", "i") + person.track_id.to_bytes(4, "big", signed=True)
    for part in PARTS:
        confidence = getattr(person.confidence, part)
        yield _own("confidence", part, "f") + _floats(confidence)
    yield _own("latency", "grab_to_send_ms", "f") + _floats(latency_ms)


def _own(what: str, name: str, tag: str) -> bytes:
    return _head(f"/VMC/Thru/pixie/{what}", "s" + tag, name)


@cache
def _head(address: str, tags: str, text: str | None = None) -> bytes:
    """Return a message up to its numbers: address, type tags, and the text if any."""
    strings = (address, "," + tags) if text is None else (address, "," + tags, text)
    return b"".join(_padded(string) for string in strings)


def _padded(text: str) -> bytes:
    """Encode an OSC string: ended by a zero, filled up to a multiple of four bytes."""
    encoded = text.encode() + b"\x00"
    return encoded + bytes(-len(encoded) % 4)


def _floats(values: Float32 | float) -> bytes:
    return np.asarray(values, ">f4").tobytes()
