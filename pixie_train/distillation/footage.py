"""Footage to learn from: videos, folders of pictures, single pictures."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.sources import FrameSource
from pixie_runtime.sources.images import SUFFIXES, ImageFolder
from pixie_runtime.sources.video import VideoFile
from pixie_runtime.types import Frame


@dataclass(frozen=True)
class Footage:
    """One video, folder of pictures or picture."""

    path: Path
    unrelated: bool
    """Whether its pictures are of different moments: then nobody is followed."""
    key: str
    """Its folder's name in a store: the name, and what tells it from others of it."""

    def open(self) -> FrameSource:
        """Open it to read every picture.

        Raises:
            SourceError: it cannot be opened.
        """
        if self.unrelated:
            return ImageFolder(self.path)
        return VideoFile(self.path, realtime=False)


def find_footage(paths: Sequence[Path]) -> tuple[Footage, ...]:
    """Return the footage at these paths, each of which was opened once.

    Raises:
        UsageError: none is given, or one twice.
        SourceError: one cannot be read: better now than after hours of work.
    """
    if not paths:
        raise UsageError("no --footage; give videos or folders of pictures of people")
    found = tuple(_footage(path) for path in paths)
    for number, footage in enumerate(found):
        if footage.key in {other.key for other in found[:number]}:
            raise UsageError(
                f"--footage {footage.path} is there twice; give every file once"
            )
        with closing(footage.open()) as source:
            if footage.unrelated:
                next(iter(source))  # the first picture that can be read
    return found


def looked_at(source: FrameSource, every: int) -> Iterator[tuple[int, Frame]]:
    """Yield every so-manieth frame, and its number among those."""
    for frame in source:
        if frame.index % every == 0:
            yield frame.index // every, frame


def _footage(path: Path) -> Footage:
    try:
        folder = path.is_dir()
        files = sorted(path.iterdir()) if folder else [path]
        files = [f for f in files if not folder or f.suffix.lower() in SUFFIXES]
        about = [(f.name, f.stat().st_size) for f in files]
    except FileNotFoundError:
        raise SourceError(f"there is no footage {path}; check the path") from None
    except OSError as error:
        raise SourceError(
            f"cannot read the footage {path}: {error.strerror or error}"
        ) from error
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", path.resolve().name).strip(".")[:40]
    digest = hashlib.sha256(repr((path.resolve().name, about)).encode()).hexdigest()
    unrelated = folder or path.suffix.lower() in SUFFIXES
    return Footage(path, unrelated, f"{name or 'footage'}-{digest[:12]}")
