"""Reads takes, whichever of our files they are in."""

import zipfile
from pathlib import Path

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.takes.npz import read_npz
from pixie_runtime.takes.recording import Recording, is_container, read_recording
from pixie_runtime.takes.recording_info import RecordingInfo
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import Track


def load_take(path: Path | str, person: int | None = None) -> Take:
    """Read a take out of a recording or an `.npz` of one.

    Args:
        path: The file; what is in it decides, not its name.
        person: Whose; None for who was seen longest.

    Raises:
        SourceError: the file is missing or no take of ours, or the person is not in it.
    """
    path = Path(path)
    if _is_recording(path):
        return read_recording(path).track(person).take()
    take = read_npz(path)
    if person not in (None, take.track_id):
        raise SourceError(f"{path} has no person {person}; it has {take.track_id}")
    return take


def load_recording(path: Path | str) -> Recording:
    """Read everybody in a recording; an `.npz` counts as one of one person.

    Raises:
        SourceError: the file is missing or no take of ours.
    """
    path = Path(path)
    if _is_recording(path):
        return read_recording(path)
    take = read_npz(path)
    track = Track.of([take.person(row) for row in range(len(take))])
    return Recording(
        path=path,
        info=RecordingInfo(program=""),
        people={track.track_id: track},
        nobody_s=np.zeros(0),
        warnings=(),
    )


def _is_recording(path: Path) -> bool:
    """Whether a file is a recording; if not, it is an archive or called one."""
    try:
        if is_container(path):
            return True
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"{path} is empty: nothing was recorded")
            is_archive = zipfile.is_zipfile(file)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    if not is_archive and path.suffix != ".npz":
        raise SourceError(
            f"{path} is no take: expected a recording (MCAP) or an .npz of one"
        )
    return False
