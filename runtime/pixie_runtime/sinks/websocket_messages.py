"""What the websocket says: pure functions from values to text and bytes.

A connection begins with a JSON hello that explains everything after it; then comes one
message per person per frame, binary (`pixie.v1.bin`) or JSON (`pixie.v1.json`). The
contract is `docs/websocket.md`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_COUNT, JOINT_NAMES, PARENTS
from pixie_runtime.types import PARTS, Float32, Person

BINARY = "pixie.v1.bin"
JSON = "pixie.v1.json"
MAGIC = b"PIXF"
VERSION = 1

_DECIMALS = 6
"""Digits after the point in JSON: a micrometre, a hundredth of a second of arc."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What stays the same for as long as the stream runs."""

    body_model: str
    """Name of the body model that the parameters are for."""
    n_betas: int
    n_expression: int


@dataclass(frozen=True, slots=True)
class Moment:
    """When a frame was taken and sent, and who it shares a picture with."""

    seq: int
    """Number of the processed picture, from 0; all its people share it."""
    people: int
    """How many people are in view in it."""
    sent_ns: int
    """`time.monotonic_ns()` when it was handed to the connections."""


@cache
def frame_dtype(n_betas: int, n_expression: int) -> np.dtype[np.void]:
    """Return the layout of a binary frame: packed, little endian, 4-byte aligned."""
    return np.dtype(
        [
            ("magic", "S4"),
            ("version", "<u4"),
            ("seq", "<u4"),
            ("people", "<u4"),
            ("track_id", "<u4"),
            ("frame_index", "<u4"),
            ("t_source_s", "<f8"),
            ("t_capture_s", "<f8"),
            ("t_send_s", "<f8"),
            ("confidence", "<f4", (4,)),
            ("transl", "<f4", (3,)),
            ("rotations", "<f4", (JOINT_COUNT, 4)),
            ("joints", "<f4", (JOINT_COUNT, 3)),
            ("betas", "<f4", (n_betas,)),
            ("expression", "<f4", (n_expression,)),
        ]
    )


_MEANINGS = {
    "magic": f"{MAGIC.decode()!r}",
    "version": "version of this layout",
    "seq": "number of the processed picture; gaps are frames dropped for this client",
    "people": "how many people are in view in this picture",
    "track_id": "the same number for the same person from frame to frame",
    "frame_index": "number of the picture in its source",
    "t_source_s": "the source's own clock, seconds since its first picture",
    "t_capture_s": "when the picture was grabbed, seconds on the monotonic clock",
    "t_send_s": "when this message was sent, seconds on the monotonic clock",
    "confidence": "body, left hand, right hand, face; in [0, 1]",
    "transl": "SMPL-X translation, metres, camera frame",
    "rotations": "unit quaternions w x y z, each joint relative to its parent, "
    "the pelvis relative to the camera",
    "joints": "posed joints, metres, camera frame",
    "betas": "body shape",
    "expression": "facial expression",
}


def layout(n_betas: int, n_expression: int) -> dict[str, Any]:
    """Describe a binary frame field by field, for receivers to build a reader from."""
    dtype = frame_dtype(n_betas, n_expression)
    names = {"S": "bytes", "u": "uint", "f": "float"}
    entries = []
    for name in dtype.names or ():
        offset = dtype.fields[name][1] if dtype.fields else 0
        field, base = dtype[name], dtype[name].base
        bits = "" if base.kind == "S" else str(8 * base.itemsize)
        shape = [base.itemsize] if base.kind == "S" else list(field.shape)
        entries.append(
            {
                "name": name,
                "type": names[base.kind] + bits,
                "shape": shape,
                "offset": offset,
                "meaning": _MEANINGS[name],
            }
        )
    return {
        "endianness": "little",
        "version": VERSION,
        "bytes": dtype.itemsize,
        "fields": entries,
    }


def hello_text(
    info: StreamInfo, shapes: Mapping[int, Float32], *, unix_time_at_zero_s: float
) -> str:
    """Encode the first message of a connection.

    Args:
        info: What the stream is of.
        shapes: Rest offsets (55, 3) of the people in view, by track id.
        unix_time_at_zero_s: Unix time at zero of the monotonic clock, so that peers
            with synchronised clocks can compute latencies.
    """
    return json.dumps(
        {
            "type": "hello",
            "format": "pixie.v1",
            "body_model": info.body_model,
            "n_betas": info.n_betas,
            "n_expression": info.n_expression,
            "joint_names": JOINT_NAMES,
            "parents": PARENTS,
            "shapes": [_shape(track, offsets) for track, offsets in shapes.items()],
            "units": {"length": "metre", "time": "second", "rotation": "wxyz"},
            "axes": {
                "camera": {"x": "right", "y": "down", "z": "forward"},
                "body": {"x": "person's left", "y": "up", "z": "out of the chest"},
                "handedness": "right",
            },
            "clock": {"unix_time_at_zero_s": unix_time_at_zero_s},
            "binary": layout(info.n_betas, info.n_expression),
        }
    )


def shape_text(track_id: int, offsets: Float32) -> str:
    """Encode a person's rest offsets (55, 3): sent when they appear or change shape."""
    return json.dumps({"type": "shape", **_shape(track_id, offsets)})


def alive_text(moment: Moment, *, frame_index: int, t_source_s: float) -> str:
    """Encode the heartbeat that is sent while nobody is in view."""
    return json.dumps(
        {
            "type": "alive",
            "seq": moment.seq,
            "people": moment.people,
            "frame_index": frame_index,
            "t_source_s": round(t_source_s, _DECIMALS),
            "t_send_s": moment.sent_ns / 1e9,
        }
    )


def person_record(person: Person, moment: Moment) -> npt.NDArray[np.void]:
    """Return a person as one record of `frame_dtype`."""
    params = person.params
    dtype = frame_dtype(len(params.betas), len(params.expression))
    record = np.zeros((), dtype)
    record["magic"] = MAGIC
    record["version"] = VERSION
    record["seq"] = moment.seq % 2**32
    record["people"] = moment.people
    record["track_id"] = person.track_id
    record["frame_index"] = person.frame_index
    record["t_source_s"] = person.timestamp_s
    record["t_capture_s"] = person.times.grabbed_ns / 1e9
    record["t_send_s"] = moment.sent_ns / 1e9
    record["confidence"] = [getattr(person.confidence, part) for part in PARTS]
    record["transl"] = params.transl
    record["rotations"] = params.rotations
    record["joints"] = person.joints
    record["betas"] = params.betas
    record["expression"] = params.expression
    return record


def person_text(record: npt.NDArray[np.void]) -> str:
    """Encode a person's record as JSON, with the binary fields' names."""
    fields: dict[str, Any] = {"type": "person"}
    for name in (record.dtype.names or ())[2:]:
        value = record[name]
        if value.dtype.kind == "f":
            value = np.round(value.astype(np.float64), _DECIMALS)
        fields[name] = value.tolist()
    return json.dumps(fields, separators=(",", ":"))


def decode_person(message: bytes, info: StreamInfo) -> np.void:
    """Read a binary frame back into a record of `frame_dtype`.

    Raises:
        ValueError: it is no frame of this version with these sizes.
    """
    dtype = frame_dtype(info.n_betas, info.n_expression)
    if len(message) != dtype.itemsize:
        raise ValueError(
            f"a frame of {len(message)} bytes; expected {dtype.itemsize} for "
            f"{info.n_betas} betas and {info.n_expression} expression coefficients"
        )
    record: np.void = np.frombuffer(message, dtype)[0]
    if record["magic"] != MAGIC or record["version"] != VERSION:
        raise ValueError(
            f"a frame that begins with {message[:8]!r}; expected {MAGIC!r} and "
            f"version {VERSION}"
        )
    return record


def _shape(track_id: int, offsets: Float32) -> dict[str, Any]:
    rounded = np.round(offsets.astype(float), _DECIMALS).tolist()
    return {"track_id": track_id, "rest_offsets": rounded}
