"""Annotation files of data sets, with one sentence where a download is incomplete."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float32


def required(path: Path, data_set: str, get: str) -> Path:
    """Return `path` if it is there.

    Args:
        path: a file or folder of the data set.
        data_set: its name for people.
        get: what to download so that it is there.

    Raises:
        SourceError: it is not.
    """
    if not path.exists():
        raise SourceError(f"{data_set} is incomplete: there is no {path}; {get}")
    return path


def first_of(paths: Iterable[Path], data_set: str, get: str) -> Path:
    """Return the first of several places that is there.

    Raises:
        SourceError: none is; the first is named.
    """
    places = list(paths)
    for path in places:
        if path.exists():
            return path
    return required(places[0], data_set, get)


def read_json(path: Path, data_set: str, get: str) -> Any:
    """Return what a JSON file holds.

    Raises:
        SourceError: it is missing, cut off or damaged.
    """
    required(path, data_set, get)
    try:
        with path.open(encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, data_set, str(error), get) from error


def as_numbers(
    values: Any, shape: tuple[int | None, ...], path: Path, data_set: str, get: str
) -> Float32:
    """Return values out of an annotation file as an array of a shape; None: any length.

    Raises:
        SourceError: they are something else.
    """
    try:
        found = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise damaged(path, data_set, str(error), get) from error
    fits = len(found.shape) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(found.shape, shape, strict=True)
    )
    if not fits or not np.isfinite(found).all():
        wanted = " x ".join("n" if n is None else str(n) for n in shape)
        reason = f"expected {wanted} finite numbers, found shape {found.shape}"
        raise damaged(path, data_set, reason, get)
    return found.astype(np.float32)


def damaged(path: Path, data_set: str, reason: str, get: str) -> SourceError:
    """Return the error of a file that is not what the data set's is."""
    return SourceError(f"{path} is not {data_set}'s ({reason}); {get}")
