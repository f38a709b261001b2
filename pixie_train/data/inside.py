"""Files that a data set names, inside its own folder."""

from pathlib import Path

from pixie_runtime.errors import SourceError


def inside(folder: Path, name: str, data_set: str) -> Path:
    """Return the path of a named file.

    Raises:
        SourceError: the name leads out of the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SourceError(
            f"{data_set} names the file {name}, which is outside {folder}; get a fresh "
            "copy"
        )
    return path
