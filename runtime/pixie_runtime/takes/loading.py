"""Reads takes, whichever of our files they are in."""

import zipfile
from pathlib import Path

from pixie_runtime.errors import SourceError
from pixie_runtime.takes.npz import read_npz
from pixie_runtime.takes.recording import is_container, read_recording
from pixie_runtime.takes.take import Take


def load_take(path: Path, person: int | None = None) -> Take:
    """Read a take out of a recording or an `.npz` of one.

    Args:
        path: The file; what is in it decides, not its name.
        person: Whose; None for who was seen longest.

    Raises:
        SourceError: the file is missing or no take of ours, or the person is not in it.
    """
    try:
        if is_container(path):
            return read_recording(path).track(person).take()
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
    take = read_npz(path)
    if person not in (None, take.track_id):
        raise SourceError(f"{path} has no person {person}; it has {take.track_id}")
    return take
