"""People as VMC 3.1 messages: pure functions from values to bytes.

The protocol is sh-akira's (protocol.vmc.info); `docs/vmc.md` says what is sent and how
receivers take it. Types are exact, because receivers ignore what they do not expect:
flags are 32-bit integers, numbers 32-bit floats; never booleans or doubles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pixie_runtime.humanoid import BONE_NAMES
from pixie_runtime.humanoid_root import RootedPose
from pixie_runtime.sinks.osc_values import floats, head, integers
from pixie_runtime.types import PARTS, Person

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


class CalibrationState(IntEnum):
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
    calibration: CalibrationState
    tracking: bool
    """Whether somebody is in view."""
    time_s: float
    """Capture time in seconds since the stream began; as a 32-bit float it would lose
    whole seconds if it counted from 1970."""


def status_messages(status: Status) -> Iterator[bytes]:
    """Encode `/VMC/Ext/OK` and `/VMC/Ext/T`, which receivers tell a live sender by."""
    flags = (int(status.loaded), int(status.calibration), 0, int(status.tracking))
    yield head("/VMC/Ext/OK", "iiii") + integers(*flags)
    yield head("/VMC/Ext/T", "f") + floats(status.time_s)


def pose_messages(pose: RootedPose) -> Iterator[bytes]:
    """Encode `/VMC/Ext/Root/Pos` and the 55 `/VMC/Ext/Bone/Pos`, the core body first.

    Every bone has its true place relative to its parent: receivers that apply places
    would else fold the avatar up.
    """
    root = np.concatenate([pose.root_position, pose.root_rotation])
    yield head("/VMC/Ext/Root/Pos", "sfffffff", "root") + floats(root)
    bones = pose.bones
    rows = np.concatenate([bones.positions, bones.rotations], axis=1).astype(">f4")
    for bone in _BONE_ORDER:
        name = head("/VMC/Ext/Bone/Pos", "sfffffff", BONE_NAMES[bone])
        yield name + rows[bone].tobytes()


def expression_messages(expressions: Mapping[str, float]) -> Iterator[bytes]:
    """Encode `/VMC/Ext/Blend/Val` of each expression, then `/VMC/Ext/Blend/Apply`.

    All of them every time, zeros too: some receivers forget those not sent anew.
    """
    for name, value in expressions.items():
        yield head("/VMC/Ext/Blend/Val", "sf", name) + floats(value)
    yield head("/VMC/Ext/Blend/Apply", "")


def own_messages(person: Person, latency_ms: float) -> Iterator[bytes]:
    """Encode what VMC has no words for, in its `/VMC/Thru/`: who, how sure, how late.

    Args:
        person: Whose number and confidences are sent.
        latency_ms: From grabbing the picture until now.
    """
    yield _own("person", "track", "i") + integers(person.track_id)
    for part in PARTS:
        confidence = getattr(person.confidence, part)
        yield _own("confidence", part, "f") + floats(confidence)
    yield _own("latency", "grab_to_send_ms", "f") + floats(latency_ms)


def _own(what: str, name: str, tag: str) -> bytes:
    return head(f"/VMC/Thru/pixie/{what}", "s" + tag, name)
