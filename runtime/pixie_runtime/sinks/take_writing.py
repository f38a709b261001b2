"""From a part file to a take, without ever holding more than some frames in memory."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks.take_parts import Part, Records, read_part
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.takes.npz import FORMAT_VERSION
from pixie_runtime.takes.take import Q_WORLD_FROM_CAMERA, WORLD_FROM_CAMERA
from pixie_runtime.types import PARTS, Float32, Float64

AnyArray = npt.NDArray[Any]

_CHUNK = 4096
"""Frames converted at once: some 10 MB."""
_COMMON_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0)
_DEFAULT_RATE = 30.0
_BREAK_S = 0.5
"""A longer pause between two frames is somebody out of view, not a frame rate."""


def recover_take(part_path: Path, take_path: Path | None = None) -> Path:
    """Turn a part file into a take and remove it; for recordings that were cut off.

    Args:
        part_path: A `.npz.part` file.
        take_path: Where to write; None for the part file's name without `.part`.

    Returns:
        The take's path.

    Raises:
        SourceError: it is no part file, or holds no whole frame.
        SinkError: the take exists already or cannot be written; the part file stays.
    """
    path = part_path.with_suffix("") if take_path is None else take_path
    part = read_part(part_path)
    if path.exists():
        raise SinkError(
            f"{path} exists already and is not overwritten; give another name"
        )
    write_take(part, path)
    part_path.unlink()
    return path


def write_take(part: Part, path: Path, **more: AnyArray) -> None:
    """Write a take so that `path` is at every moment the old file or the whole new one.

    Args:
        part: The frames, at least one.
        path: Where to write.
        more: Arrays to add, by their keys.

    Raises:
        SinkError: it cannot be written, for example because the disk is full.
    """
    with written_whole(path) as file:
        _write_npz(file, part, more)


def frame_rate(timestamps_s: Float64) -> float:
    """Return the mean frames per second, breaks left out; 30 where there is none."""
    steps = np.diff(timestamps_s)
    steps = steps[(steps > 0) & (steps <= _BREAK_S)]
    return float(1 / steps.mean()) if steps.size else _DEFAULT_RATE


def common_frame_rate(fps: float) -> float:
    """Return the common rate within 1 % of `fps`, or `fps`.

    Blender's add-on refuses 29.97, being less than 30.
    """
    nearest = min(_COMMON_RATES, key=lambda rate: abs(rate - fps))
    return nearest if abs(nearest - fps) <= 0.01 * nearest else fps


def poses_of(records: Records) -> Float32:
    """Return rotation vectors (T, 165), the root's in the y-up world."""
    wxyz = records["rotations"].astype(np.float64)
    wxyz[:, 0] = rotations.multiply(Q_WORLD_FROM_CAMERA.astype(np.float64), wxyz[:, 0])
    return rotations.to_rotvec(wxyz).reshape(len(records), -1).astype(np.float32)


def trans_of(records: Records) -> Float32:
    """Return SMPL-X translations (T, 3) in the y-up world.

    The body turns about its rest pelvis p, which the change of axes does not move. The
    posed pelvis, S (p + t) for camera axes turned by S, has to equal p + trans.
    """
    pelvis = records["joints"][:, 0].astype(np.float64)
    rest_pelvis = pelvis - records["transl"]
    return np.asarray(pelvis * WORLD_FROM_CAMERA - rest_pelvis, np.float32)


_COLUMNS: Mapping[str, Callable[[Records], AnyArray]] = {
    "poses": poses_of,
    "trans": trans_of,
    "expression": lambda records: records["expression"],
    "betas_per_frame": lambda records: records["betas"],
    "joints": lambda records: records["joints"],
    "timestamps_s": lambda records: records["timestamp_s"],
    "frames": lambda records: records["frame"],
    "confidences": lambda records: records["confidence"],
}


def _constants(part: Part) -> dict[str, AnyArray]:
    header, records = part.header, part.records
    camera = header.camera
    fps = frame_rate(np.asarray(records["timestamp_s"]))
    # A few thousand frames are enough for a median.
    sample = records["betas"][:: max(1, len(records) // _CHUNK)]
    return {
        "betas": np.asarray(np.median(sample, axis=0), np.float32),
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "mocap_frame_rate": np.array(common_frame_rate(fps)),
        "fps": np.array(fps),
        "confidence_names": np.array(PARTS),
        "camera": np.array([camera.focal_px, *camera.centre_px, *camera.size_px]),
        "track_id": np.array(header.track_id),
        "format_version": np.array(FORMAT_VERSION),
    }


def _write_npz(file: IO[bytes], part: Part, more: Mapping[str, AnyArray]) -> None:
    """Write what `np.savez` would, column by column and chunk by chunk."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in {**_constants(part), **more}.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        for name, column in _COLUMNS.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                _write_column(member, column, part.records)


def _write_column(
    member: IO[bytes], column: Callable[[Records], AnyArray], records: Records
) -> None:
    first = column(records[:1])
    header = {
        "descr": np.lib.format.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": (len(records), *first.shape[1:]),
    }
    np.lib.format.write_array_header_1_0(member, header)
    for start in range(0, len(records), _CHUNK):
        chunk = column(records[start : start + _CHUNK])
        member.write(np.ascontiguousarray(chunk).tobytes())
