"""One pass over a video file: pictures as shown, in RGB, each with its true time."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pixie_runtime.errors import SourceError
from pixie_runtime.sources.pictures import as_rgb_picture
from pixie_runtime.sources.showing import Showing
from pixie_runtime.sources.timeline import Timeline
from pixie_runtime.sources.turning import Turn
from pixie_runtime.types import UInt8

_TOLERATED_SHORTFALL = 0.05
"""Part of the announced length that may be missing: containers round, edit and trim."""

_HIGHEST_FPS = 1000
"""Above, a file has told its clock's rate instead of its pictures'."""


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and its first video stream.

    Raises SourceError with one sentence for whatever is not a readable video.
    """
    if path.is_dir():
        raise SourceError(
            f"{path} is a folder, not a video; give it as a folder of pictures or name "
            "a file in it"
        )
    try:
        if not path.stat().st_size:
            raise SourceError(f"the video {path} is empty (0 bytes); record it again")
        container = av.open(str(path))
    except FileNotFoundError:
        raise SourceError(f"there is no video {path}; check the path") from None
    except OSError as error:  # av's errors for bad data are not among them
        reason = error.strerror or error
        raise SourceError(f"cannot open the video {path}: {reason}") from error
    except av.FFmpegError as error:
        raise SourceError(
            f"cannot read {path} as a video: it is damaged, cut short while it was "
            "written, or of an unknown format; expected MP4, MOV, MKV, WebM, AVI or "
            "the like"
        ) from error
    # What FFmpeg reads a picture by itself with.
    if container.format.name.endswith(("_pipe", "image2")):
        container.close()
        raise SourceError(f"{path} is a picture; use --images")
    if not container.streams.video:
        container.close()
        raise SourceError(f"{path} holds no pictures (no video stream), only sound")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return container, stream


class VideoPass:
    """Decodes a video once, from its first picture to the last that can be decoded.

    Damaged stretches are left out and noted in `warning`; iteration goes on behind them
    where there is something to go on with.
    """

    def __init__(self, path: Path, turn: Turn | None = None) -> None:
        """Open the file; `turn` is read from the first picture unless it is known."""
        self._path = path
        self._container, self._stream = open_video(path)
        codec = self._stream.codec_context.name
        self._showing = Showing(codec, self._stream.sample_aspect_ratio, turn)
        self._timeline = Timeline(self._interval_s)
        self._damaged = False
        self._shortfall = ""

    @property
    def turn(self) -> Turn | None:
        """How the pictures are turned; None before the first."""
        return self._showing.turn

    @property
    def fps(self) -> float | None:
        """The stream's average frame rate, None where the file does not tell."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate and rate <= _HIGHEST_FPS else None

    @property
    def duration_s(self) -> float | None:
        """The announced length, seconds; None where the file does not tell."""
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return None if container.duration is None else container.duration / av.time_base

    @property
    def warning(self) -> str | None:
        """What was amiss in what has been decoded so far, in one sentence."""
        if not self._damaged and not self._shortfall:
            return None
        return (
            f"{self._path.name} is damaged or cut short{self._shortfall}; "
            f"{self._timeline.count} frames could be read"
        )

    @property
    def end_s(self) -> float:
        """When the last picture so far stops being shown, seconds from the first."""
        return self._timeline.end_s

    def __iter__(self) -> Iterator[tuple[float, Callable[[], UInt8]]]:
        """Yield (seconds since the first picture, what makes it RGB (H, W, 3)).

        Making it takes as long as decoding it, and may be left out. Raises SourceError
        when not a single picture can be decoded.
        """
        for frame in self._frames():
            yield self._timeline.next_s(frame.time), partial(self._picture, frame)
        self._compare_with_announced()
        if not self._timeline.count:
            raise SourceError(
                f"not one picture of the video {self._path} can be decoded; it is "
                "empty or damaged"
            )

    def _picture(self, frame: VideoFrame) -> UInt8:
        name = f"a picture of {self._path.name}"
        return as_rgb_picture(name, self._showing.shown(frame))

    def close(self) -> None:
        """Free the file; an iteration under way may not go on."""
        self._container.close()

    @property
    def _interval_s(self) -> float:
        return 1 / (self.fps or 30.0)

    def _frames(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                self._damaged = True
                return
            self._damaged |= packet.is_corrupt
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._damaged = True
                continue
            for frame in frames:
                self._damaged |= frame.is_corrupt
                if isinstance(frame, VideoFrame):
                    yield frame

    def _compare_with_announced(self) -> None:
        announced_s = self.duration_s
        if announced_s is None:
            return
        missing_s = announced_s - self.end_s
        if missing_s > max(_TOLERATED_SHORTFALL * announced_s, 3 * self._interval_s):
            self._shortfall = f" ({self.end_s:.1f} of {announced_s:.1f} s are there)"
