"""A take as a `.npz` in the manner of AMASS; the file's contract is `docs/takes.md`."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import SourceError
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.take import Take
from pixie_runtime.types import PARTS, Camera, Float32

FORMAT_VERSION = 1

_ARRAYS: dict[str, tuple[str | int, ...]] = {
    "betas": ("n",),
    "betas_per_frame": ("T", "n"),
    "expression": ("T", "m"),
    "poses": ("T", 3 * JOINT_COUNT),
    "trans": ("T", 3),
    "joints": ("T", JOINT_COUNT, 3),
    "confidences": ("T", len(PARTS)),
    "timestamps_s": ("T",),
    "frames": ("T",),
    "camera": (5,),
    "fps": (),
    "mocap_frame_rate": (),
    "track_id": (),
    "format_version": (),
}


def read_npz(path: Path) -> Take:
    """Read a take; nothing in the file is ever executed (no pickle).

    Raises:
        SourceError: the file is missing, truncated, pickled, or no take of ours.
    """
    fields = _read_arrays(path)
    _check_shapes(path, fields)
    _check_numbers(path, fields)
    focal, x, y, width, height = fields["camera"].tolist()

    def float32(name: str) -> Float32:
        return fields[name].astype(np.float32)

    return Take(
        betas=float32("betas"),
        betas_per_frame=float32("betas_per_frame"),
        expression=float32("expression"),
        poses=float32("poses"),
        trans=float32("trans"),
        joints=float32("joints"),
        confidences=float32("confidences"),
        timestamps_s=fields["timestamps_s"].astype(np.float64),
        frames=fields["frames"].astype(np.int64),
        camera=Camera(focal, (x, y), (round(width), round(height))),
        fps=float(fields["fps"]),
        mocap_frame_rate=float(fields["mocap_frame_rate"]),
        track_id=int(fields["track_id"]),
    )


def write_npz(take: Take, path: Path | str, **more: npt.NDArray[Any]) -> None:
    """Write a take so that `path` is at every moment the old file or the whole new one.

    Args:
        take: Its frames are written as they come, at `mocap_frame_rate`.
        path: Where to write.
        more: Arrays to add, by their keys.

    Raises:
        SinkError: it cannot be written, for example because the disk is full.
    """
    with (
        written_whole(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        for name, array in {**_arrays(take), **more}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _arrays(take: Take) -> Mapping[str, npt.NDArray[Any]]:
    camera = take.camera
    return {
        "betas": take.betas,
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "mocap_frame_rate": np.array(take.mocap_frame_rate),
        "fps": np.array(take.fps),
        "confidence_names": np.array(PARTS),
        "camera": np.array([camera.focal_px, *camera.centre_px, *camera.size_px]),
        "track_id": np.array(take.track_id),
        "format_version": np.array(FORMAT_VERSION),
        "poses": take.poses,
        "trans": take.trans,
        "expression": take.expression,
        "betas_per_frame": take.betas_per_frame,
        "joints": take.joints,
        "timestamps_s": take.timestamps_s,
        "frames": take.frames,
        "confidences": take.confidences,
    }


def _read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise SourceError(
                    f"{path} is no whole .npz file: truncated, or of another kind"
                )
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                missing = sorted(_ARRAYS.keys() - set(arrays.files))
                if missing:
                    raise SourceError(
                        f"{path} is no take of pixie-live: {', '.join(missing)} missing"
                    )
                return {name: arrays[name] for name in _ARRAYS}
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise SourceError(f"{path} is damaged ({error})") from error
    except ValueError as error:
        raise SourceError(
            f"{path} cannot be read as plain arrays: it is damaged, or pickled, which "
            "is never loaded because it could run code"
        ) from error


def _check_shapes(path: Path, fields: dict[str, npt.NDArray[Any]]) -> None:
    version = fields["format_version"]
    if version.shape or version.dtype.kind not in "iu" or version != FORMAT_VERSION:
        raise SourceError(
            f"{path} has format version {version}; this release reads {FORMAT_VERSION}"
        )
    sizes: dict[str | int, int] = {}
    for name, expected in _ARRAYS.items():
        array = fields[name]
        fits = len(array.shape) == len(expected) and all(
            size == (sizes.setdefault(axis, size) if isinstance(axis, str) else axis)
            for size, axis in zip(array.shape, expected, strict=True)
        )
        if not fits or array.dtype.kind not in "fiu":
            shown = tuple(sizes.get(axis, axis) for axis in expected)
            raise SourceError(
                f"{path}: {name} is {array.dtype} {array.shape}; "
                f"expected numbers {shown}"
            )
    if not sizes["T"]:
        raise SourceError(f"{path} is a take without frames")


def _check_numbers(path: Path, fields: dict[str, npt.NDArray[Any]]) -> None:
    for name, array in fields.items():
        if not np.isfinite(array).all():
            raise SourceError(
                f"{path}: {name} holds infinite numbers or none at all (NaN); expected "
                "finite ones: record or make it again"
            )
    for name in ("fps", "mocap_frame_rate"):
        if not fields[name] > 0:
            raise SourceError(
                f"{path}: {name} is {fields[name]:g}; expected a rate above 0"
            )
