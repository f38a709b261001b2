"""An h264 file that plays at the pictures' own times."""

import contextlib
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from pixie_runtime.errors import SinkError
from pixie_runtime.types import UInt8

SUFFIXES = (".mp4", ".m4v", ".mov")

_TICKS = 90_000
"""Units of time to the second in the file, as in MPEG."""

# Half a second of pictures at a time reaches the file, each a playable whole, so that
# what was written before a crash or on a full disk stays readable.
_WHILE_WRITING = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "video_track_timescale": str(_TICKS),
    "flush_packets": "1",
}
_UNWRITABLE = (OSError, av.FFmpegError)
"""What libav raises: its own errors are no OSErrors where the system names none."""
_FINISHED = {"movflags": "faststart", "video_track_timescale": str(_TICKS)}


class VideoWriter:
    """Writes RGB pictures of one even size to an mp4 (h264, yuv420p).

    While it is being written the file is fragmented; `close` turns it into a plain one
    with its index in front. Raises SinkError where the file cannot be written; what
    had reached it by then stays readable.
    """

    def __init__(self, path: Path, fps: float) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise SinkError(
                f'cannot write video to {path}: the ending "{path.suffix}" is unknown; '
                f"use one of {', '.join(SUFFIXES)}"
            )
        self._path = path
        self._rate = Fraction(fps).limit_denominator(1001)
        self._stream: VideoStream | None = None
        self._start_s = 0.0
        self._last_pts = -1
        try:
            path.open("wb").close()  # libav looks only when the first picture comes
            self._container: OutputContainer = av.open(
                str(path), "w", format="mp4", options=_WHILE_WRITING
            )
        except _UNWRITABLE as error:
            raise self._error(error) from error

    def write(self, image: UInt8, timestamp_s: float) -> None:
        """Append a picture (H, W, 3); the video starts at the first one's time."""
        # A third of the time that libav takes, for nearly the same numbers.
        yuv = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(yuv, np.uint8), format="yuv420p")
        if self._stream is None:
            self._start_s = timestamp_s
        # Two pictures may never share a moment, nor may time run back.
        pts = round((timestamp_s - self._start_s) * _TICKS)
        self._last_pts = max(pts, self._last_pts + 1)
        frame.pts, frame.time_base = self._last_pts, Fraction(1, _TICKS)
        try:
            if self._stream is None:
                self._stream = self._open_stream(frame.width, frame.height)
            self._container.mux(self._stream.encode(frame))
        except _UNWRITABLE as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Finish the file; without any picture none is left behind."""
        try:
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        except _UNWRITABLE as error:
            raise self._error(error) from error
        if self._stream is None:
            self._path.unlink(missing_ok=True)
        elif self._path.is_file():
            _put_index_in_front(self._path.resolve())

    def abandon(self) -> None:
        """Let go of a file that can take no more; keeps what it has."""
        with contextlib.suppress(*_UNWRITABLE):
            self._container.close()
        with contextlib.suppress(OSError):
            _cut_after_last_fragment(self._path)

    def _open_stream(self, width: int, height: int) -> VideoStream:
        options = {"preset": "veryfast", "crf": "20", "bf": "0"}
        stream = self._container.add_stream("libx264", self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.gop_size = max(1, round(self._rate / 2))
        stream.thread_count = 2
        return stream

    def _error(self, error: OSError | av.FFmpegError) -> SinkError:
        reason = error.strerror or str(error)
        return SinkError(
            f"cannot write the video {self._path}: {reason}; choose another place or "
            "make room there"
        )


def _cut_after_last_fragment(path: Path) -> None:
    """Remove the broken end that a full disk leaves, so that every picture decodes."""
    end, whole = 0, path.stat().st_size
    with path.open("r+b") as file:
        box = file.read(8)
        start = 0
        while len(box) == 8 and start + int.from_bytes(box[:4]) <= whole:
            start += max(8, int.from_bytes(box[:4]))
            if box[4:] in (b"moov", b"mdat"):
                end = start
            file.seek(start)
            box = file.read(8)
        file.truncate(end)


def _put_index_in_front(path: Path) -> None:
    """Rewrite a fragmented file as a plain one; where that fails, leave it as it is."""
    plain = path.with_name(f".{path.name}.tmp")
    try:
        with (
            av.open(str(path)) as source,
            av.open(str(plain), "w", format="mp4", options=_FINISHED) as target,
        ):
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        plain.replace(path)
    except _UNWRITABLE:
        plain.unlink(missing_ok=True)
