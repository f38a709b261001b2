"""People as OSC 1.0 datagrams: pure functions from values to bytes.

The addresses, their arguments, frames and units are the contract of `docs/osc.md`.
Only the types every receiver knows are sent (`i f s`): several engines ignore
booleans, doubles and 64-bit integers. Bundles carry the immediate timetag, because
some receivers sleep until a timetag that lies in the future.
"""

from collections.abc import Iterator

from pythonosc.osc_message_builder import OscMessageBuilder

from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.osc_bundles import bundle, groups
from pixie_runtime.smplx import (
    BODY_JOINTS,
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    JOINT_NAMES,
)
from pixie_runtime.types import Float32, Person

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
    frame = tick.frame
    args = (frame.index, float(frame.timestamp_s), len(tick.people))
    return bundle([_message("/pixie/alive", *args)])


def person_datagrams(
    person: Person, limit: int, arkit: Float32 | None = None
) -> list[bytes]:
    """Encode one person, each datagram at most `limit` bytes long, 512 or more.

    `arkit` are the weights (52,) of the person's face, where they are known.

    Every datagram is one bundle that begins with `/pixie/<id>/frame`; the first holds
    the root, the confidences and the body from hips to head and wrists.
    """
    base = f"/pixie/{person.track_id}"

    def frame_message(part: int, parts: int) -> bytes:
        index, time_s = person.frame_index, float(person.timestamp_s)
        return _message(f"{base}/frame", index, time_s, part, parts)

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
    params, confidence = person.params, person.confidence
    pelvis, turn = person.joints[0].tolist(), params.rotations[0].tolist()
    yield _message(f"{base}/root", *pelvis, *turn)
    yield _message(
        f"{base}/confidence",
        float(confidence.body),
        float(confidence.left_hand),
        float(confidence.right_hand),
        float(confidence.face),
    )
    for joint in _JOINT_ORDER:
        wxyz = params.rotations[joint].tolist()
        yield _message(f"{base}/joint", JOINT_NAMES[joint], *wxyz)
    if arkit is not None:
        yield _message(f"{base}/arkit", *arkit.tolist())
    yield _message(f"{base}/transl", *params.transl.tolist())
    yield from _coefficients(f"{base}/rest", rest_offsets(person).ravel(), room)
    yield from _coefficients(f"{base}/expression", params.expression, room)
    yield from _coefficients(f"{base}/betas", params.betas, room)


def _coefficients(address: str, values: Float32, room: int) -> Iterator[bytes]:
    """Yield messages with the first value's number, the total, then the values."""
    step = (room - _LONGEST_COEFFICIENT_HEAD) // _BYTES_PER_COEFFICIENT
    for first in range(0, len(values), step):
        some = values[first : first + step].tolist()
        yield _message(address, first, len(values), *some)


def _message(address: str, *args: int | float | str) -> bytes:
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    return bytes(builder.build().dgram)
