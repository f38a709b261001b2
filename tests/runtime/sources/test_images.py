import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.errors import SourceError
from pixie_runtime.sources import FrameSource
from pixie_runtime.sources.images import ImageFolder, read_picture
from pixie_runtime.types import UInt8
from tests.runtime.sources.media import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    corners,
    greys,
    png_chunk,
    quadrants,
    shade,
    with_exif_orientation,
    write_video,
)


def write(path: Path, rgb: UInt8) -> Path:
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG that claims a size and holds nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + png_chunk(b"IEND", b"")
    )


def test_pictures_come_in_natural_order_with_times(tmp_path: Path) -> None:
    for number, image in zip((2, 10, 1), greys(3), strict=True):
        write(tmp_path / f"take{number}.png", image)
    (tmp_path / "notes.txt").write_text("no picture")
    write(tmp_path / ".hidden.png", greys(1)[0])
    source: FrameSource = ImageFolder(tmp_path, fps=25)
    frames = list(source)
    assert [shade(f.image) for f in frames] == [8, 0, 4]
    assert [f.timestamp_s for f in frames] == pytest.approx([0, 0.04, 0.08])
    assert [f.index for f in frames] == [0, 1, 2]
    assert [f.name for f in frames] == ["take1.png", "take2.png", "take10.png"]
    assert (source.fps, source.dropped, source.warning) == (25, 0, None)
    assert source.description == tmp_path.name


def test_pictures_are_rgb(tmp_path: Path) -> None:
    write(tmp_path / "a.png", quadrants())
    (frame,) = ImageFolder(tmp_path)
    np.testing.assert_array_equal(frame.image, quadrants())


def test_a_single_picture_will_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bmp", quadrants())
    (frame,) = ImageFolder(path)
    assert corners(frame.image) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("suffix", ["JPG", "jpeg", "png", "tiff", "webp", "bmp"])
def test_common_formats_are_read(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a.{suffix}", quadrants())
    (frame,) = ImageFolder(tmp_path)
    assert corners(frame.image) == [RED, GREEN, BLUE, WHITE]


def test_pictures_are_turned_as_their_exif_says(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jpg", quadrants())
    # Shown turned clockwise: a phone held upright.
    path.write_bytes(with_exif_orientation(path.read_bytes(), 6))
    (frame,) = ImageFolder(path)
    assert frame.image.shape == (64, 48, 3)
    assert corners(frame.image) == [BLUE, RED, WHITE, GREEN]


def test_grey_transparent_and_16_bit_pictures_become_8_bit_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((5, 7), 80, np.uint8))
    cv2.imwrite(str(tmp_path / "2.png"), np.full((5, 7, 4), 80, np.uint8))
    cv2.imwrite(str(tmp_path / "3.png"), np.full((5, 7, 3), 80 << 8, np.uint16))
    for frame in ImageFolder(tmp_path):
        assert frame.image.shape == (5, 7, 3)
        assert frame.image.dtype == np.uint8
        assert (frame.image == 80).all()


def test_names_outside_ascii_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.png", quadrants())
    (tmp_path / "a.png").rename(tmp_path / "größe 人.png")
    assert len(list(ImageFolder(tmp_path))) == 1


def test_a_damaged_picture_is_skipped_and_named(tmp_path: Path) -> None:
    for number, image in enumerate(greys(3)):
        write(tmp_path / f"{number}.png", image)
    (tmp_path / "1.png").write_bytes(b"not a picture")
    source = ImageFolder(tmp_path, fps=10)
    frames = list(source)
    assert [f.index for f in frames] == [0, 2]
    assert frames[1].timestamp_s == pytest.approx(0.2)
    assert source.warning is not None
    assert "cannot decode the picture" in source.warning
    assert "1.png" in source.warning
    assert source.dropped == 1


def test_every_unreadable_picture_is_counted_and_the_first_ones_are_named(
    tmp_path: Path,
) -> None:
    for number in range(12):
        (tmp_path / f"{number}.png").touch()
    write(tmp_path / "12.png", quadrants())
    source = ImageFolder(tmp_path)
    for _ in range(2):  # the second pass counts anew
        assert [frame.name for frame in source] == ["12.png"]
        assert source.dropped == 12
        assert source.warning is not None
        assert source.warning.endswith(
            "0.png is empty (0 bytes); nor can 1.png, 2.png, 3.png, 4.png, 5.png, "
            "6.png, 7.png, 8.png and 3 more"
        )


def test_nothing_but_damaged_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(SourceError, match=r"cannot decode the picture .*a\.png"):
        list(ImageFolder(tmp_path))


def test_an_empty_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch()
    with pytest.raises(SourceError, match=r"picture .*a\.png is empty"):
        list(ImageFolder(path))


def test_a_video_is_no_picture(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", greys(1))
    with pytest.raises(SourceError, match=r"a\.mp4 is a video; use --video"):
        ImageFolder(path)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no picture in the folder"):
        ImageFolder(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no folder or picture .*nowhere"):
        ImageFolder(tmp_path / "nowhere")


def test_a_rate_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="pictures per second must be above 0"):
        ImageFolder(tmp_path, fps=0)


def test_one_pixel_is_a_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.array([[RED]], np.uint8))
    np.testing.assert_array_equal(read_picture(path), [[RED]])


def test_a_picture_of_a_hundred_megapixels_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    huge = np.zeros((9000, 12000), np.uint8)
    huge[-1, -1] = 255
    cv2.imwrite(str(path), huge, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    image = read_picture(path)
    assert image.shape == (9000, 12000, 3)
    assert image[-1, -1].tolist() == [255, 255, 255]


def test_a_side_that_no_stage_can_handle_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.zeros((2, 40000, 3), np.uint8))
    with pytest.raises(SourceError, match="40000x2 pixels, but a side may be at most"):
        read_picture(path)


def test_a_picture_that_claims_more_than_memory_holds_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_header(900_000, 900_000))
    with pytest.raises(SourceError, match=r"picture .*a\.png"):
        read_picture(path)


def test_closing_ends_the_iteration(tmp_path: Path) -> None:
    for number, image in enumerate(greys(3)):
        write(tmp_path / f"{number}.png", image)
    source = ImageFolder(tmp_path)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []


def test_nothing_is_said_on_the_terminal_about_damaged_pictures(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg", "c.webp", "d.tiff", "e.bmp"):
        path = write(tmp_path / name, quadrants(640, 480))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    script = (
        "import sys; from pathlib import Path\n"
        "from pixie_runtime.errors import SourceError\n"
        "from pixie_runtime.sources.images import ImageFolder\n"
        "try: list(ImageFolder(Path(sys.argv[1])))\n"
        "except SourceError: pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "runtime")},
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
