"""Video files, at their own pace or as fast as they can be read."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pixie_runtime.sources.decoding import VideoPass
from pixie_runtime.sources.readahead import ReadAhead
from pixie_runtime.types import Frame


class VideoFile:
    """The pictures of a video file, upright, in RGB, with their true times.

    Each iteration starts at the first picture. Decoding runs ahead in a thread of its
    own. What is damaged or missing at the end is left out and told by `warning`.
    """

    def __init__(self, path: Path | str, *, realtime: bool, loop: bool = False) -> None:
        """Open the file and decode its first picture, to know that it can be read.

        Args:
            path: The file.
            realtime: Hand out frames when they are due and drop those that are late;
                otherwise every frame as soon as it is asked for.
            loop: Start again at the end, for ever; times and indices go on.

        Raises:
            SourceError: It is missing, no video, or not one picture can be decoded.
        """
        self._path = Path(path)
        self._realtime = realtime
        self._loop = loop
        self._dropped = 0
        self._warning: str | None = None
        self._closed = False
        self._reading: ReadAhead | None = None
        probe = VideoPass(self._path)
        self._fps = probe.fps
        pictures = iter(probe)
        height, width = next(pictures)[1]().shape[:2]
        self._size = (width, height)
        self._turn = probe.turn
        probe.close()

    @property
    def description(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def fps(self) -> float | None:
        """The file's average frame rate."""
        return self._fps

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the first picture as shown, pixels."""
        return self._size

    @property
    def dropped(self) -> int:
        """Frames that were late and skipped; only in real time."""
        return self._dropped + (self._reading.dropped if self._reading else 0)

    @property
    def warning(self) -> str | None:
        """What is amiss with the file, as far as it has been read."""
        return self._warning

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; see `Frame` and `ReadAhead` for their times."""
        if self._closed:
            return
        reading = self._reading = ReadAhead(self._decode, realtime=self._realtime)
        try:
            yield from reading
        finally:
            reading.close()
            self._dropped += reading.dropped
            if self._reading is reading:
                self._reading = None

    def close(self) -> None:
        """End the iteration under way and free the file."""
        self._closed = True
        if self._reading is not None:
            self._reading.close()

    def _decode(self, passes_over: Callable[[float], bool]) -> Iterator[Frame]:
        index, offset_s = -1, 0.0
        while True:
            video = VideoPass(self._path, self._turn)
            try:
                for pass_s, picture in video:
                    index, time_s = index + 1, offset_s + pass_s
                    if not passes_over(time_s):
                        image = picture()
                        yield Frame(index, time_s, time.monotonic_ns(), image)
            finally:
                video.close()
                self._warning = video.warning or self._warning
            if not self._loop:
                return
            offset_s += video.end_s
