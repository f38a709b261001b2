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
    arkit_names: tuple[str, ...] = ()
    """Names of the face's weights; empty where a stream has none."""
    face_note: str | None = None
    """What of the face is not estimated, one sentence."""

    @property
    def dtype(self) -> np.dtype[np.void]:
        """The layout of the stream's binary frames."""
        return frame_dtype(self.n_betas, self.n_expression, len(self.arkit_names))


@dataclass(frozen=True, slots=True)
class Moment:
    """When a frame was taken and sent, and who it shares a picture with."""

    seq: int
    """Number of the processed picture, from 0; all its people share it."""
    people: int
    """How many people are in view in it."""
    sent_ns: int
    """`time.monotonic_ns()` when it was handed to the connections."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A person's body at rest."""

    betas: Float32
    """(n_betas,)."""
    rest_offsets: Float32
    """Each joint relative to its parent, (55, 3), metres, body frame."""


@cache
def frame_dtype(n_betas: int, n_expression: int, n_arkit: int = 0) -> np.dtype[np.void]:
    """Return the layout of a binary frame: packed, little endian, 4-byte aligned."""
    face = [("arkit", "<f4", (n_arkit,))] if n_arkit else []
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
            *face,
        ]
    )


MEANINGS = {
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
    "arkit": "the face as weights of ARKit's units, 0 to 1, by `arkit_names`",
}


def layout(dtype: np.dtype[np.void]) -> dict[str, Any]:
    """Describe a binary frame field by field, for receivers to build a reader from."""
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
                "meaning": MEANINGS[name],
            }
        )
    return {
        "endianness": "little",
        "version": VERSION,
        "bytes": dtype.itemsize,
        "fields": entries,
    }


def hello_text(
    info: StreamInfo, shapes: Mapping[int, Shape], *, unix_time_at_zero_s: float
) -> str:
    """Encode the first message of a connection.

    Args:
        info: What the stream is of.
        shapes: Of the people in view, by track id.
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
            "parts": PARTS,
            "arkit_names": info.arkit_names,
            "face_note": info.face_note,
            "shapes": [_shape(track, shape) for track, shape in shapes.items()],
            "units": {"length": "metre", "time": "second", "rotation": "wxyz"},
            "axes": {
                "camera": {"x": "right", "y": "down", "z": "forward"},
                "body": {"x": "person's left", "y": "up", "z": "out of the chest"},
                "handedness": "right",
            },
            "clock": {"unix_time_at_zero_s": unix_time_at_zero_s},
            "binary": layout(info.dtype),
        }
    )


def shape_text(track_id: int, shape: Shape) -> str:
    """Encode a person's shape: sent when they appear or change it."""
    return json.dumps({"type": "shape", **_shape(track_id, shape)})


def clock_text(unix_time_at_zero_s: float) -> str:
    """Encode what is sent when this machine's clock was set."""
    return json.dumps({"type": "clock", "unix_time_at_zero_s": unix_time_at_zero_s})


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


def person_record(
    person: Person, moment: Moment, arkit: Float32 | None = None
) -> npt.NDArray[np.void]:
    """Return a person and the weights of their face as one record of `frame_dtype`."""
    params, n_arkit = person.params, 0 if arkit is None else len(arkit)
    dtype = frame_dtype(len(params.betas), len(params.expression), n_arkit)
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
    if arkit is not None:
        record["arkit"] = arkit
    return record


def person_text(record: npt.NDArray[np.void]) -> str:
    """Encode a person's record as JSON, with the binary fields' names."""
    fields: dict[str, Any] = {"type": "person"}
    for name in (record.dtype.names or ())[2:]:
        value = record[name]
        fields[name] = _rounded(value) if value.dtype.kind == "f" else value.tolist()
    return json.dumps(fields, separators=(",", ":"))


def decode_person(message: bytes, info: StreamInfo) -> np.void:
    """Read a binary frame back into a record of `frame_dtype`.

    Raises:
        ValueError: it is no frame of this version with these sizes.
    """
    dtype = info.dtype
    if len(message) != dtype.itemsize:
        raise ValueError(
            f"a frame of {len(message)} bytes; expected {dtype.itemsize} for "
            f"{info.n_betas} betas, {info.n_expression} expression coefficients and "
            f"{len(info.arkit_names)} weights of the face"
        )
    record: np.void = np.frombuffer(message, dtype)[0]
    if record["magic"] != MAGIC or record["version"] != VERSION:
        raise ValueError(
            f"a frame that begins with {message[:8]!r}; expected {MAGIC!r} and "
            f"version {VERSION}"
        )
    return record


def _shape(track_id: int, shape: Shape) -> dict[str, Any]:
    return {
        "track_id": track_id,
        "betas": _rounded(shape.betas),
        "rest_offsets": _rounded(shape.rest_offsets),
    }


def _rounded(values: Float32) -> Any:
    return np.round(values.astype(np.float64), _DECIMALS).tolist()
