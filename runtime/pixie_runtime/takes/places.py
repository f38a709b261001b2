"""Where a recording is written, so that it costs no earlier one, and found again."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile

from pixie_runtime.errors import SinkError, UsageError
from pixie_runtime.takes.conversion import SUFFIXES, Target
from pixie_runtime.takes.recording import is_cut_off

CONTAINER_SUFFIX = ".mcap"


def target_of(path: Path) -> Target | None:
    """Return what a recording is to be converted to in the end; None for nothing.

    Raises:
        UsageError: the name's ending means something else.
    """
    suffix = path.suffix.lower()
    if suffix in ("", CONTAINER_SUFFIX):
        return None
    if suffix not in SUFFIXES:
        known = ", ".join([CONTAINER_SUFFIX, *SUFFIXES])
        raise UsageError(
            f"--record {path}: expected a name without ending or one that ends in "
            f"{known}"
        )
    return SUFFIXES[suffix]


def container_of(path: Path) -> Path:
    """Return where the recording itself goes if `path` is asked for."""
    return path if target_of(path) is None else path.with_suffix(CONTAINER_SUFFIX)


def found(path: Path) -> Path:
    """Return the file that is meant: `path`, or what was recorded under that name."""
    if not path.exists():
        for suffix in (CONTAINER_SUFFIX, ".npz"):
            file = path.with_name(path.name + suffix)
            if file.is_file():
                return file
    return path


def check_writable(path: Path) -> None:
    """Find out before the recording whether something can be written there.

    Raises:
        SinkError: it cannot.
    """
    for place in {path, container_of(path)}:
        if place.is_dir():
            raise SinkError(f"cannot record to {place}: it is a folder")
    try:
        TemporaryFile(dir=path.parent).close()
    except FileNotFoundError as error:
        raise SinkError(
            f"cannot record to {path}: the folder {path.parent} does not exist"
        ) from error
    except OSError as error:
        raise SinkError(f"cannot record to {path}: {error.strerror}") from error


def make_room(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return where to write what will be `path`, and what to tell about it.

    An older whole recording stays until the new one is whole too, which therefore
    begins under another name. One that was cut off is moved out of the way for good.

    Raises:
        SinkError: that cannot be done.
    """
    beside = path.with_name(f"{path.stem}.new{path.suffix}")
    moved = []
    try:
        for place in (path, beside):
            if not place.exists():
                continue
            if place.stat().st_size == 0:
                place.unlink()
            elif place == beside or is_cut_off(place):
                kept = next(name for name in _kept_names(path) if not name.exists())
                place.rename(kept)
                moved.append(kept)
    except OSError as error:
        raise SinkError(f"cannot record to {path}: {error.strerror}") from error
    said = tuple(
        f"an earlier recording was cut off; it is now {kept}" for kept in moved
    )
    return (beside if path.exists() else path), said


def _kept_names(path: Path) -> Iterator[Path]:
    yield path.with_name(f"{path.stem}.cut-off{path.suffix}")
    for number in count(2):
        yield path.with_name(f"{path.stem}.cut-off-{number}{path.suffix}")
