"""Reads recordings, cut off and damaged ones too: what is whole in them is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.takes.container import INFO, MAGIC
from pixie_runtime.takes.contents import Contents
from pixie_runtime.takes.people_records import tracks_of
from pixie_runtime.takes.recording_info import (
    FORMAT_VERSION,
    RecordingInfo,
    version_of,
)
from pixie_runtime.takes.track import Track
from pixie_runtime.types import Camera, Float64
from pixie_runtime.wording import counted

_NO_CAMERA = Camera(1.0, (0.5, 0.5), (1, 1))
"""Where what was said of the camera is damaged: motion is worth keeping without."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What a container holds."""

    path: Path
    info: RecordingInfo
    people: Mapping[int, Track]
    """By number, who was seen longest first."""
    nobody_s: Float64
    """When nobody was in view, seconds on the source's clock."""
    warnings: tuple[str, ...]
    """What is missing in it or does not fit, one sentence each."""

    def track(self, person: int | None = None) -> Track:
        """Return a person's frames; None for who was seen longest.

        Raises:
            SourceError: there is no such person.
        """
        if not self.people:
            raise SourceError(f"{self.path} holds nobody: no person was recorded")
        if person is None:
            return next(iter(self.people.values()))
        if person not in self.people:
            there = ", ".join(f"{i} ({len(t)} frames)" for i, t in self.people.items())
            raise SourceError(f"{self.path} has no person {person}; it has {there}")
        return self.people[person]


def is_container(path: Path) -> bool:
    """Whether a file begins as a container; raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def is_cut_off(path: Path) -> bool:
    """Whether a file is a container without an end; raises OSError."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return False
        file.seek(-len(MAGIC), 2)
        return file.tell() == 0 or file.read() != MAGIC


def read_recording(path: Path) -> Recording:
    """Read a container, up to where it was cut off and without what is damaged.

    Raises:
        SourceError: the file cannot be read, is none of ours, or is of a newer version.
    """
    try:
        with path.open("rb") as file:
            contents = Contents(file)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise SourceError(f"{path} is no recording: {error}") from error
    _check_version(path, contents.metadata or {})
    info = contents.info()
    if info is None and not contents.is_whole:
        raise SourceError(f"{path} was cut off before anything was recorded")
    if info is None:
        raise SourceError(
            f"{path} is an MCAP file, but no recording of pixie-live: it has no "
            f"metadata named {INFO}"
        )
    seen_by = contents.seen_by
    camera = max(seen_by, key=seen_by.__getitem__, default=None)
    tracks, left_out = tracks_of(contents.people(), camera or _NO_CAMERA)
    return Recording(
        path=path,
        info=info,
        people={track.track_id: track for track in tracks},
        nobody_s=np.array(contents.nobody_s),
        warnings=_warnings(
            path,
            is_whole=contents.is_whole,
            damaged=contents.damaged + left_out + bool(tracks and camera is None),
            seen_by=seen_by,
        ),
    )


def _check_version(path: Path, metadata: Mapping[str, str]) -> None:
    version = version_of(metadata)
    if version > FORMAT_VERSION:
        program = metadata.get("program", "a newer pixie-live")
        raise SourceError(
            f"{path} is from a newer version: {program} wrote it in format {version}, "
            f"and this one reads up to {FORMAT_VERSION}; update pixie-live"
        )


def _warnings(
    path: Path, *, is_whole: bool, damaged: int, seen_by: Mapping[Camera, int]
) -> tuple[str, ...]:
    """Return what is missing."""
    said = []
    if not is_whole:
        said.append(f"{path} was cut off: what had reached the disk by then is there")
    if damaged:
        pieces = counted(damaged, "piece", "pieces")
        said.append(f"{path} is damaged: {pieces} of it left out")
    seen_by = {camera: frames for camera, frames in seen_by.items() if frames}
    if len(seen_by) > 1:
        frames = counted(sum(seen_by.values()), "frame", "frames")
        said.append(
            f"{path} has {len(seen_by)} cameras, or sizes of picture, one after "
            f"another: takes have that of the most frames, {max(seen_by.values())} of "
            f"{frames}; the others do not lie over their pictures"
        )
    return tuple(said)
