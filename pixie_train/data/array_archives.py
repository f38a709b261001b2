"""Data sets' .npz files, read without unpickling."""

import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_train.data.annotation_files import damaged, required

AnyArray = npt.NDArray[Any]


def read_archive(
    path: Path,
    wanted: Mapping[str, tuple[int | None, ...] | None],
    data_set: str,
    get: str,
    *,
    maybe: Collection[str] = (),
) -> dict[str, AnyArray]:
    """Return arrays of an .npz file.

    Args:
        path: the file.
        wanted: their names, and what follows the number of samples, which all must
            share, in their shapes; None: any length, or any shape.
        data_set: its name for people.
        get: what to do where something is missing.
        maybe: names that may be missing.

    Raises:
        SourceError: the file is missing or damaged, or lacks an array.
    """
    required(path, data_set, get)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in wanted if name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(path, data_set, str(error), get) from error
    count = len(next(iter(arrays.values()), ()))
    for name, tail in wanted.items():
        if name not in arrays:
            if name in maybe:
                continue
            raise damaged(path, data_set, f'it has no "{name}"', get)
        shape = arrays[name].shape
        if tail is None:
            continue
        fits = len(shape) == len(tail) + 1 and all(
            e in (None, f) for e, f in zip((count, *tail), shape, strict=True)
        )
        if not fits:
            expected = (count, *tail)
            reason = f'"{name}" has shape {shape}, expected {expected}'
            raise damaged(path, data_set, reason, get)
    return arrays
