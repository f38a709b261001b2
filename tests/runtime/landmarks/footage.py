"""The clips that the tests look at: shipped ones, and shared ones if they are there."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.types import UInt8

ROOT = Path(__file__).parents[3]
_FOLDERS = (
    ROOT / "tests/footage",
    ROOT / "runtime/pixie_runtime/assets/demo",
    ROOT.parent / "shared/footage",
)


@cache
def frames_of(name: str, count: int | None = None) -> tuple[UInt8, ...]:
    """Return the first pictures of a clip, RGB; skip the test if it is not there."""
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return tuple(_read(folder / name, count))
    pytest.skip(f"{name} is not in {', '.join(f.name for f in _FOLDERS)}")


def _read(path: Path, count: int | None) -> list[UInt8]:
    if path.suffix != ".mp4":
        picture = cv2.imread(str(path))
        assert picture is not None
        return [np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)]
    capture = cv2.VideoCapture(str(path))
    frames: list[UInt8] = []
    while count is None or len(frames) < count:
        more, picture = capture.read()
        if not more or picture is None:
            break
        frames.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8))
    capture.release()
    return frames
