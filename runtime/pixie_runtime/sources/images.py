"""Pictures in files: one, or a folder of them."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.sources.pictures import as_rgb_picture, silence_opencv
from pixie_runtime.types import Frame, UInt8
from pixie_runtime.wording import listed

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""What counts as a picture in a folder, in lower case."""

_VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})


class ImageFolder:
    """The pictures of a folder in natural order of their names, or a single picture.

    Pictures come as 8-bit RGB whatever they are stored as, turned as their EXIF says.
    A damaged picture among good ones is skipped, counted and named by `warning`; its
    index and its time stay empty.
    """

    def __init__(self, path: Path | str, *, fps: float = 30.0) -> None:
        """List the pictures.

        Args:
            path: A folder, or one picture of any format that OpenCV reads.
            fps: Pictures per second that the timestamps shall tell; they are handed
                out as fast as they are asked for.

        Raises:
            SourceError: There is no such thing or no picture in it.
        """
        self._path = Path(path)
        if not fps > 0:
            raise SourceError(f"pictures per second must be above 0, not {fps}")
        self._fps = fps
        self._files = pictures_at(self._path)
        self._reason: str | None = None
        self._skipped: list[str] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._files)

    @property
    def description(self) -> str:
        """The folder's or picture's name."""
        return self._path.name or str(self._path)

    @property
    def fps(self) -> float | None:
        """Pictures per second, as given."""
        return self._fps

    @property
    def dropped(self) -> int:
        """Pictures that could not be read."""
        return len(self._skipped)

    @property
    def warning(self) -> str | None:
        """Why the first unreadable picture cannot be read, and which others cannot."""
        if self._reason is None or len(self._skipped) < 2:
            return self._reason
        return f"{self._reason}; nor can {listed(self._skipped[1:])}"

    def __iter__(self) -> Iterator[Frame]:
        """Yield the pictures; SourceError when not one of them can be read."""
        self._reason, self._skipped = None, []
        error: SourceError | None = None
        found = False
        for index, file in enumerate(self._files):
            if self._closed:
                return
            try:
                image = read_picture(file)
            except SourceError as reason:
                error = error or reason
                self._reason = self._reason or str(reason)
                self._skipped.append(file.name)
                continue
            found = True
            time_s, now_ns = index / self._fps, time.monotonic_ns()
            yield Frame(index, time_s, now_ns, image, file.name)
        if not found and error is not None:
            raise error

    def close(self) -> None:
        """End the iteration under way."""
        self._closed = True


def read_picture(path: Path) -> UInt8:
    """Read one picture as RGB (H, W, 3), upright; alpha is left out.

    Raises SourceError naming the file when it is damaged, empty, too large for the
    memory or longer on a side than `LONGEST_SIDE`.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(
            f"cannot open the picture {path}: {error.strerror or error}"
        ) from error
    if not data.size:
        raise SourceError(f"the picture {path} is empty (0 bytes)")
    silence_opencv()
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except (cv2.error, MemoryError) as error:
        raise SourceError(
            f"the picture {path} is too large to be decoded; scale it down"
        ) from error
    if bgr is None:
        raise SourceError(
            f"cannot decode the picture {path}: it is damaged or of an unknown format; "
            "expected JPEG, PNG, TIFF, BMP or WebP"
        )
    cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr)
    return as_rgb_picture(f"the picture {path}", bgr)


def pictures_at(path: Path) -> list[Path]:
    """Return the pictures of a folder in natural order, or the one at `path`.

    Raises SourceError when there is no such thing, no picture in it, or it is a video.
    """
    if path.is_file():
        if path.suffix.lower() in _VIDEO_SUFFIXES:
            raise SourceError(f"{path} is a video; use --video")
        return [path]
    try:
        files = [
            file
            for file in path.iterdir()
            if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        ]
    except FileNotFoundError:
        raise SourceError(f"there is no folder or picture {path}; check it") from None
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    if not files:
        shown = ", ".join(sorted(SUFFIXES))
        raise SourceError(f"there is no picture in the folder {path} ({shown})")
    return sorted(files, key=lambda file: _natural(file.name))


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that puts frame2 before frame10."""
    return tuple(
        (0, int(piece), piece) if piece.isdecimal() else (1, 0, piece.casefold())
        for piece in re.split(r"(\d+)", name)
        if piece
    )
