"""Files of runs: tensors and plain values, replaced whole.

A checkpoint is written beside the old one and takes its place when it is whole; that of
`last.pt` stays as `previous.pt`. A run killed at any time can be resumed.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from pixie_runtime.errors import BundleError, SinkError

LAST, PREVIOUS = "last.pt", "previous.pt"


def write(content: dict[str, Any], path: Path) -> None:
    """Write a checkpoint to `path`; what was in `last.pt` becomes `previous.pt`.

    Raises:
        SinkError: it cannot be written; what was there is as it was.
    """
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        # Another file, as of a run that diverged, must not cost the last good state.
        if path.name == LAST and path.exists():
            _keep(path)
        partial.replace(path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        # A full disk is an OSError of the file or a RuntimeError of torch's writer.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise SinkError(
            f"cannot write the checkpoint {path}: {_reason(error)}; free space or give "
            "another --out, the last whole checkpoint is as it was"
        ) from error


def read(path: Path, kind: str, expected: str) -> dict[str, Any]:
    """Read a checkpoint's values; tensors and plain values only, never code.

    Args:
        path: the file, or the folder of a run.
        kind: its format.
        expected: the end of a sentence: which command writes such files.

    Raises:
        BundleError: the file is missing, damaged or something else.
    """
    path = path / LAST if path.is_dir() else path
    content = read_any(path, expected)
    if content.pop("format", "") != kind:
        raise BundleError(f"{path} is not a checkpoint of this kind; {expected}")
    return content


def read_any(path: Path, expected: str) -> dict[str, Any]:
    """Read a checkpoint's values, its format among them; see `read`."""
    path = path / LAST if path.is_dir() else path
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise BundleError(f"there is no checkpoint {path}; check the path") from None
    except Exception as error:
        previous = path.with_name(PREVIOUS)
        way_out = (
            f"the one before it is {previous}: copy it to {path.name} to go on from it"
            if path.name == LAST and previous.exists()
            else expected
        )
        raise BundleError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); {way_out}"
        ) from error
    if not isinstance(content, dict):
        raise BundleError(f"{path} is not a checkpoint of this kind; {expected}")
    return {str(name): value for name, value in content.items()}


def _keep(path: Path) -> None:
    """Give the old checkpoint a second name; it is there under its own all along."""
    previous = path.with_name(PREVIOUS)
    previous.unlink(missing_ok=True)
    try:
        os.link(path, previous)
    except OSError:  # a file system without links
        shutil.copyfile(path, previous)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # where folders cannot be synchronised
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, OSError):
        return cause.strerror or str(cause)
    return str(error).splitlines()[0]
