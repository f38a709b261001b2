"""What commands leave for people: folders, plots, pictures, or why there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.types import UInt8

if TYPE_CHECKING:
    # Whoever makes a folder needs no plots.
    from matplotlib.figure import Figure


def made_folder(folder: Path, instead: str) -> Path:
    """Return a folder that is there now.

    Args:
        folder: with the folders that it is in.
        instead: what to do if it cannot be made: "give another --out".

    Raises:
        SinkError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"cannot make the folder {folder}: {error.strerror or error}; {instead}"
        ) from error
    return folder


def write_figure(figure: Figure, path: Path, *, dpi: int = 100) -> None:
    """Write a plot; the path's ending says as what.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        figure.savefig(path, dpi=dpi)
    except OSError as error:
        raise SinkError(
            f"cannot write {path}: {error.strerror or error}; free space"
        ) from error


def write_png(picture: UInt8, path: Path) -> None:
    """Write an RGB picture (H, W, 3).

    Raises:
        SinkError: it cannot be written.
    """
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise SinkError(f"cannot encode {path} as PNG; its picture is empty")
    with written_whole(path) as file:
        file.write(data.tobytes())
