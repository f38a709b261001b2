"""From people's messages to people's tracks."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.track import Track
from pixie_runtime.types import PARTS, Camera, Float32

Records = npt.NDArray[np.void]

_SIZES: Mapping[str, int] = {
    "track_id": 1,
    "frame_index": 1,
    "t_source_s": 1,
    "t_capture_s": 1,
    "t_send_s": 1,
    "confidence": len(PARTS),
    "transl": 3,
    "rotations": 4 * JOINT_COUNT,
    "joints": 3 * JOINT_COUNT,
}
"""How many numbers each field has that a person's messages need."""
_MOTION = ("rotations", "joints", "transl", "confidence")
_LATEST_S = 1e9
"""30 years: a time beyond is none."""


def check_fields(layout: np.dtype[np.void]) -> None:
    """Raise ValueError where a field is missing that a person needs."""
    for name, size in _SIZES.items():
        if name not in (layout.names or ()):
            raise ValueError(f"no field {name}")
        shape = layout[name].shape
        if int(np.prod(shape)) != size:
            raise ValueError(f"{name} has shape {shape}, not {size} numbers")


def tracks_of(topics: Iterable[Records], camera: Camera) -> tuple[list[Track], int]:
    """Return everybody's track, who was seen longest first, and what had to go.

    Args:
        topics: Each topic's messages in their order; usually one person's.
        camera: Whose axes they are in.

    Returns:
        The tracks, and how many messages are not in them: that are not numbers, not
        later than those before, or of a person who is in another topic too.
    """
    tracks: dict[int, Track] = {}
    left_out = 0
    for records in topics:
        for track_id in np.unique(records["track_id"]).tolist():
            mine = records[records["track_id"] == track_id]
            kept = _possible(mine)
            left_out += len(mine) - len(kept)
            if track_id in tracks:
                left_out += len(kept)
            elif len(kept):
                tracks[track_id] = _track(track_id, kept, camera)
    by_length = sorted(tracks.values(), key=lambda t: (-len(t), t.track_id))
    return by_length, left_out


def _possible(records: Records) -> Records:
    """Return the records that can be: numbers, each later than those before."""
    times = records["t_source_s"]
    possible = np.abs(times) < _LATEST_S
    for name in _MOTION:
        possible &= np.isfinite(records[name]).all(axis=1)
    records, times = records[possible], times[possible]
    before = np.maximum.accumulate(np.concatenate([[-np.inf], times[:-1]]))
    later = times > before[: len(times)]
    return records if later.all() else records[later]


def _track(track_id: int, records: Records, camera: Camera) -> Track:
    def floats(name: str, *shape: int) -> Float32:
        if name not in (records.dtype.names or ()):
            return np.zeros((len(records), 0), np.float32)
        # A copy: the messages of everybody else need not stay for it.
        return records[name].astype(np.float32).reshape(len(records), *shape)

    return Track(
        track_id=track_id,
        camera=camera,
        frames=records["frame_index"].astype(np.int64),
        timestamps_s=records["t_source_s"].astype(np.float64),
        latencies_s=records["t_send_s"] - records["t_capture_s"],
        confidences=floats("confidence", len(PARTS)),
        transl=floats("transl", 3),
        rotations=floats("rotations", JOINT_COUNT, 4),
        joints=floats("joints", JOINT_COUNT, 3),
        betas=floats("betas", -1),
        expression=floats("expression", -1),
    )
