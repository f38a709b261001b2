"""One pass over a video file: pictures upright, in RGB, each with its true time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.buffer import Buffer
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pixie_runtime.errors import SourceError
from pixie_runtime.sources.pictures import as_rgb_picture
from pixie_runtime.types import UInt8

_SMALLEST_STEP_S = 1e-3
"""Put between pictures whose timestamps stand still or go back."""

_TOLERATED_SHORTFALL = 0.05
"""Part of the announced length that may be missing: containers round, edit and trim."""


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

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container, self._stream = open_video(path)
        self._damaged = False
        self._shortfall = ""
        self._count = 0
        self._end_s = 0.0

    @property
    def fps(self) -> float | None:
        """The stream's average frame rate, None where the file does not tell."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate else None

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
            f"{self._count} frames could be read"
        )

    @property
    def end_s(self) -> float:
        """When the last picture so far stops being shown, seconds from the first."""
        return self._end_s

    def __iter__(self) -> Iterator[tuple[float, UInt8]]:
        """Yield (seconds since the first picture, RGB picture (H, W, 3)).

        Raises SourceError when not a single picture can be decoded.
        """
        interval_s = 1 / (self.fps or 30.0)
        first_s: float | None = None
        last_s = -np.inf
        try:
            for frame in self._frames():
                time_s = frame.time
                if time_s is None:
                    time_s = 0.0 if first_s is None else first_s + last_s + interval_s
                first_s = time_s if first_s is None else first_s
                last_s = max(time_s - first_s, last_s + _SMALLEST_STEP_S)
                self._end_s = last_s + interval_s
                self._count += 1
                yield last_s, self._upright_rgb(frame)
            self._compare_with_announced()
        finally:
            self._container.close()
        if not self._count:
            raise SourceError(
                f"not one picture of the video {self._path} can be decoded; it is "
                "empty or damaged"
            )

    def close(self) -> None:
        """Free the file; an iteration under way may not go on."""
        self._container.close()

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

    def _upright_rgb(self, frame: VideoFrame) -> UInt8:
        image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        # Typed as holding motion vectors alone; it is a mapping of whatever there is.
        side_data = cast(Mapping[str, Buffer], frame.side_data)
        if "DISPLAYMATRIX" in side_data:
            image = turned_by_display_matrix(image, bytes(side_data["DISPLAYMATRIX"]))
        return as_rgb_picture(f"a picture of {self._path.name}", image)

    def _compare_with_announced(self) -> None:
        announced_s = self.duration_s
        if announced_s is None:
            return
        missing_s = announced_s - self._end_s
        interval_s = 1 / (self.fps or 30.0)
        if missing_s > max(_TOLERATED_SHORTFALL * announced_s, 3 * interval_s):
            self._shortfall = f" ({self._end_s:.1f} of {announced_s:.1f} s are there)"


def turned_by_display_matrix(image: UInt8, matrix: bytes) -> UInt8:
    """Turn or mirror a stored picture (H, W, 3) as a player shows it.

    `matrix` is FFmpeg's display matrix, nine native int32 `a b u c d v x y w` with
    x' = a x + c y and y' = b x + d y (libavutil/display.h). Quarter turns and mirror
    images are followed exactly, anything between to the nearest.
    """
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        image = np.asarray(cv2.transpose(image), np.uint8)
        mirror_x, mirror_y = c < 0, b < 0
    else:
        mirror_x, mirror_y = a < 0, d < 0
    if not mirror_x and not mirror_y:
        return image
    flip_code = -1 if mirror_x and mirror_y else int(mirror_x)
    return np.asarray(cv2.flip(image, flip_code), np.uint8)
