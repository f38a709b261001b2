"""A bundle's folder appears whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixie_runtime.bundle import MANIFEST_NAME
from pixie_runtime.errors import BundleError


@contextmanager
def new_bundle_folder(out: Path) -> Iterator[Path]:
    """Give a new folder beside `out` that takes its place if all goes well.

    A bundle that was there before is replaced. After an exception nothing of the new
    one is left, and what was there before is as it was.

    Raises:
        BundleError: `out` is a file or a folder of something else, or cannot be
            written.
    """
    require_free(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # On the same volume, or it could not be renamed.
        with tempfile.TemporaryDirectory(
            prefix=f".{out.name}-", dir=out.parent
        ) as beside:
            new = Path(beside) / "new"
            new.mkdir()
            yield new
            _take_the_place_of(out, new, Path(beside) / "old")
    except OSError as error:
        raise BundleError(
            f"cannot write the bundle {out}: {error.strerror or error}; give a folder "
            "that can be written on a disk with room"
        ) from error


def require_free(out: Path) -> None:
    """Refuse a place that holds something else than a bundle.

    Raises:
        BundleError: as it says.
    """
    try:
        if out.is_dir():
            if not any(out.iterdir()) or (out / MANIFEST_NAME).is_file():
                return
            found = f"is a folder with other things in it (no {MANIFEST_NAME})"
        elif out.exists():
            found = "is a file"
        else:
            return
    except OSError as error:
        raise BundleError(
            f"cannot look into {out}: {error.strerror}; give another folder"
        ) from error
    raise BundleError(
        f"{out} {found}; give a folder that is new, empty or an older bundle"
    )


def _take_the_place_of(out: Path, new: Path, old: Path) -> None:
    if not out.exists():
        new.rename(out)
        return
    out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
