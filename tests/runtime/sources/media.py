"""Small real media, made on the spot."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from pixie_runtime.types import UInt8

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
COLOUR_TOLERANCE = 24
"""h264 at this quality in 4:2:0 keeps a flat patch within that of its 8-bit value."""


def quadrants(width: int = 64, height: int = 48) -> UInt8:
    """A picture whose corners are red, green / blue, white: shows every turn."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    image[height // 2 :, width // 2 :] = WHITE
    return image


def corners(image: UInt8) -> list[tuple[int, ...]]:
    """The corners' colours, each rounded to 0 or 255: upper row, then lower."""
    height, width = image.shape[:2]
    picked = [image[y, x] for y in (2, height - 3) for x in (2, width - 3)]
    assert all((np.minimum(p, 255 - p) <= COLOUR_TOLERANCE).all() for p in picked)
    return [tuple(int(round(v / 255) * 255) for v in p) for p in picked]


def shade(image: UInt8) -> float:
    """Mean brightness, by which `write_video` numbers its default pictures."""
    return float(image.mean())


def write_video(
    path: Path,
    images: Iterable[UInt8],
    *,
    fps: int = 30,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Encode pictures, evenly spaced or at `times_s`; `aspect` is that of a pixel."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream: VideoStream | None = None
        for index, image in enumerate(images):
            if stream is None:
                added = container.add_stream(codec, rate=fps)
                assert isinstance(added, VideoStream)
                stream = added
                stream.width, stream.height = image.shape[1], image.shape[0]
                stream.pix_fmt = pixels
                if aspect is not None:
                    stream.codec_context.sample_aspect_ratio = aspect
                stream.time_base = stream.codec_context.time_base = Fraction(1, 90000)
                stream.codec_context.gop_size = 10
                if codec == "libx264":
                    stream.options = {"crf": "10", "bf": "2"}
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            time_s = index / fps if times_s is None else times_s[index]
            frame.pts, frame.time_base = round(time_s * 90000), Fraction(1, 90000)
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode())
    return path


def greys(count: int, width: int = 64, height: int = 48) -> list[UInt8]:
    """`count` flat pictures, each four steps brighter than the one before."""
    return [np.full((height, width, 3), 4 * i, np.uint8) for i in range(count)]


def noise(count: int, width: int = 160, height: int = 120) -> list[UInt8]:
    """Pictures that do not compress, so that a file has a middle to cut."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (height, width, 3), np.uint8) for _ in range(count)]


def write_motion_picture(path: Path, codec: str, picture: bytes) -> Path:
    """Write a video whose only frame is an encoded picture, as MJPEG cameras do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb24" if codec == "png" else "yuvj420p"
        packet = av.Packet(picture)
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        packet.time_base = Fraction(1, 30)
        container.mux(packet)
    return path


def with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Put an EXIF block with one entry in front of a JPEG's others."""
    tiff = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return jpeg[:2] + segment + jpeg[2:]


def with_colour_profile(png: bytes) -> bytes:
    """Put a named ICC profile behind a PNG's header."""
    profile = png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(bytes(200)))
    return png[:33] + profile + png[33:]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a piece of a PNG with its length and checksum."""
    checked = kind + data
    return (
        struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    )


def set_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Write a display matrix into the track header of an MP4, as phones do."""
    data = bytearray(path.read_bytes())
    box = data.index(b"tkhd")
    assert data[box + 4] == 0, "a track header of version 0"
    one = 1 << 16
    offset = box + 4 + 40
    struct.pack_into(
        ">9i", data, offset, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)
