"""People as OSC 1.0 datagrams: pure functions from values to bytes.

The addresses, their arguments, frames and units are the contract of `docs/osc.md`.
Bundles carry the immediate timetag, because some receivers sleep until a timetag that
lies in the future.
"""

from collections.abc import Iterator

import numpy as np

from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.osc_bundles import bundle, groups
from pixie_runtime.sinks.osc_values import floats, head, integers
from pixie_runtime.smplx import (
    BODY_JOINTS,
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    JOINT_NAMES,
)
from pixie_runtime.types import PARTS, Float32, Person

_TOES = (JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"])
_JOINT_ORDER = (
    *(joint for joint in BODY_JOINTS if joint not in _TOES),
    *_TOES,
    *range(JAW, JOINT_COUNT),
)
"""All but the pelvis; the toes wait so that the wrists fit the first datagram."""
_BYTES_PER_COEFFICIENT = 5
"""A float and its type tag."""
_LONGEST_COEFFICIENT_HEAD = 64
"""Size, address, the other two arguments, and padding, for any track id."""


def alive_datagram(tick: Tick) -> bytes:
    """Encode `/pixie/alive`: frame number, time and how many people are in view."""
    index, time_s = integers(tick.frame.index), floats(tick.frame.timestamp_s)
    people = integers(len(tick.people))
    return bundle([head("/pixie/alive", "ifi") + index + time_s + people])


def person_datagrams(
    person: Person, limit: int, arkit: Float32 | None = None
) -> list[bytes]:
    """Encode one person, each datagram at most `limit` bytes long, 512 or more.

    `arkit` are the weights (52,) of the person's face, where they are known.

    Every datagram is one bundle that begins with `/pixie/<id>/frame`; the first holds
    the root, the confidences and the body from hips to head and wrists.
    """
    base = f"/pixie/{person.track_id}"

    frame = head(f"{base}/frame", "ifii")
    frame += integers(person.frame_index) + floats(person.timestamp_s)

    def frame_message(part: int, parts: int) -> bytes:
        return frame + integers(part, parts)

    room = limit - len(bundle([frame_message(0, 0)]))
    parts = list(groups(_person_messages(person, base, room, arkit), room))
    return [
        bundle([frame_message(part, len(parts)), *messages])
        for part, messages in enumerate(parts)
    ]


def _person_messages(
    person: Person, base: str, room: int, arkit: Float32 | None
) -> Iterator[bytes]:
    """Yield the person's messages, what matters most first, none beyond `room`."""
    params = person.params
    turns = params.rotations.astype(">f4")
    pelvis = floats(person.joints[0]) + turns[0].tobytes()
    yield head(f"{base}/root", "fffffff") + pelvis
    sure = np.array([getattr(person.confidence, part) for part in PARTS])
    yield head(f"{base}/confidence", "ffff") + floats(sure)
    for joint in _JOINT_ORDER:
        name = head(f"{base}/joint", "sffff", JOINT_NAMES[joint])
        yield name + turns[joint].tobytes()
    if arkit is not None:
        yield head(f"{base}/arkit", "f" * len(arkit)) + floats(arkit)
    yield head(f"{base}/transl", "fff") + floats(params.transl)
    yield from _coefficients(f"{base}/rest", rest_offsets(person).ravel(), room)
    yield from _coefficients(f"{base}/expression", params.expression, room)
    yield from _coefficients(f"{base}/betas", params.betas, room)


def _coefficients(address: str, values: Float32, room: int) -> Iterator[bytes]:
    """Yield messages with the first value's number, the total, then the values."""
    step = (room - _LONGEST_COEFFICIENT_HEAD) // _BYTES_PER_COEFFICIENT
    for first in range(0, len(values), step):
        some = values[first : first + step]
        tags = head(address, "ii" + "f" * len(some))
        yield tags + integers(first, len(values)) + floats(some)
