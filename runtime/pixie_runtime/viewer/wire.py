"""What the viewer's page receives: pure functions from values to bytes.

Little endian throughout; the first number says what follows. The page's half is
`static/wire.js`, and docs/viewer.md lists the fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from pixie_runtime.attention import FACE_68
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import (
    PARTS,
    Float32,
    HandLandmarks,
    Person,
    PersonLandmarks,
    PoseLandmarks,
)
from pixie_runtime.viewer.squares import SQUARES

VERSION = 2
FRAME, PICTURE, SHAPE, BODY = 1, 2, 3, 4
"""The kinds of binary messages."""

_HEADER = np.dtype(
    [
        ("kind", "<u4"),
        ("people", "<u4"),
        ("timestamp_s", "<f8"),
        ("index", "<u4"),
        ("fps", "<f4"),
        ("latency_ms", "<f4"),
        ("landmarks_ms", "<f4"),
        ("estimate_ms", "<f4"),
        ("smooth_ms", "<f4"),
        ("frames_dropped", "<u4"),
        ("not_shown", "<u4"),
        ("focal_px", "<f4"),
        ("centre_px", "<f4", (2,)),
        ("size_px", "<f4", (2,)),
    ]
)
_POINTS = {"pose": 33, "left_hand": 21, "right_hand": 21, "face": len(FACE_68)}
"""How many landmarks of each part are shown."""
_PICTURE = np.dtype(
    [
        ("kind", "<u4"),
        ("size_px", "<u4", (2,)),
        ("people", "<u4"),
    ]
)
_FOUND = np.dtype(
    [
        ("parts", "<u4"),
        ("squares", "<f4", (len(SQUARES), 4, 2)),
        *((part, "<f4", (count, 2)) for part, count in _POINTS.items()),
    ]
)
_SHAPE = np.dtype(
    [("kind", "<u4"), ("track", "<u4"), ("version", "<u4"), ("vertices", "<u4")]
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How the run is doing, as far as a single frame does not say."""

    fps: float
    """Frames captured per second, over the last few seconds."""
    latency_ms: float
    """From grabbing this frame to handing it to the viewer."""
    frames_dropped: int
    """Frames that the source overwrote or skipped, since the start."""
    not_shown: int
    """Frames that were captured and that no page showed, since the start."""


def frame_message(
    people: Sequence[Person],
    *,
    timestamp_s: float,
    index: int,
    counts: Counts,
    shapes: Mapping[int, int],
    n_expression: int,
) -> bytes:
    """Return the parameters of everybody in a frame.

    Args:
        people: Who is in it.
        timestamp_s: On the source's clock.
        index: Number of the picture in its source.
        counts: How the run is doing.
        shapes: For each track the version of its shape message.
        n_expression: How many expression coefficients the body model has.
    """
    header = np.zeros((), _HEADER)
    header["kind"], header["people"] = FRAME, len(people)
    header["timestamp_s"], header["index"] = timestamp_s, index
    for name in ("fps", "latency_ms", "frames_dropped", "not_shown"):
        header[name] = getattr(counts, name)
    if people:
        for stage, milliseconds in people[0].times.milliseconds().items():
            header[f"{stage}_ms"] = milliseconds
        for name in ("focal_px", "centre_px", "size_px"):
            header[name] = getattr(people[0].camera, name)
    records = np.zeros(len(people), _person_dtype(n_expression))
    for record, person in zip(records, people, strict=True):
        params = person.params
        record["track"] = person.track_id
        record["shape"] = shapes[person.track_id]
        record["confidence"] = [getattr(person.confidence, part) for part in PARTS]
        record["transl"] = params.transl
        record["rotations"] = params.rotations
        record["expression"][: len(params.expression)] = params.expression
    return header.tobytes() + records.tobytes()


def picture_message(
    jpeg: bytes,
    size_px: tuple[int, int],
    found: Sequence[tuple[PersonLandmarks, Mapping[str, Float32]]],
) -> bytes:
    """Return a picture of the camera with what was found in it.

    Args:
        jpeg: The picture, at any size.
        size_px: Width and height of the picture that landmarks and squares are in.
        found: Of each person the landmarks, and squares as corners (4, 2) in pixels
            by the names of `SQUARES`.
    """
    header = np.zeros((), _PICTURE)
    header["kind"], header["size_px"], header["people"] = PICTURE, size_px, len(found)
    records = np.zeros(len(found), _FOUND)
    for record, (landmarks, squares) in zip(records, found, strict=True):
        for number, part in enumerate(_POINTS):
            points = _points(getattr(landmarks, part))
            if points is not None:
                record["parts"] |= 1 << number
                record[part] = points
        record["squares"] = np.nan
        for number, name in enumerate(SQUARES):
            if name in squares:
                record["squares"][number] = squares[name]
    return header.tobytes() + records.tobytes() + jpeg


def shape_message(track: int, version: int, model: BodyModel, betas: Float32) -> bytes:
    """Return the rest body of a shape: joints (55, 3), then vertices (V, 3), metres."""
    shaped = model.shaped(betas, np.zeros(0, np.float32))
    header = np.zeros((), _SHAPE)
    header["kind"], header["track"], header["version"] = SHAPE, track, version
    header["vertices"] = model.vertex_count
    joints = np.asarray(shaped.joints, "<f4").tobytes()
    return header.tobytes() + joints + np.asarray(shaped.vertices(), "<f4").tobytes()


def body_message(file: bytes) -> bytes:
    """Return the body model's file (`body_file`) as a message."""
    return BODY.to_bytes(4, "little") + file


@cache
def _person_dtype(n_expression: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("track", "<u4"),
            ("shape", "<u4"),
            ("confidence", "<f4", (len(PARTS),)),
            ("transl", "<f4", (3,)),
            ("rotations", "<f4", (JOINT_COUNT, 4)),
            ("expression", "<f4", (n_expression,)),
        ]
    )


def _points(part: object) -> npt.NDArray[np.floating] | None:
    """Return the points to show of a part, (n, 2) pixels; what is not seen is NaN."""
    if part is None:
        return None
    if isinstance(part, PoseLandmarks):
        seen = part.visibility > 0.3
        return np.where(seen[:, None], part.image[:, :2], np.nan)
    if isinstance(part, HandLandmarks):
        return part.image[:, :2]
    return part.image[list(FACE_68), :2]  # type: ignore[attr-defined, no-any-return]
