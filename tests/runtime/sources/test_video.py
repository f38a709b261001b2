import os
import resource
import subprocess
import sys
import threading
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
import pytest

from pixie_runtime.errors import SourceError
from pixie_runtime.sources import FrameSource
from pixie_runtime.sources.opening import demo_clip
from pixie_runtime.sources.video import VideoFile
from pixie_runtime.types import UInt8
from tests.runtime.sources.media import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    corners,
    greys,
    noise,
    quadrants,
    set_display_matrix,
    shade,
    with_colour_profile,
    with_exif_orientation,
    write_motion_picture,
    write_video,
)

ROTATIONS = {
    (1, 0, 0, 1): [RED, GREEN, BLUE, WHITE],
    (0, 1, -1, 0): [BLUE, RED, WHITE, GREEN],  # a phone held upright
    (0, -1, 1, 0): [GREEN, WHITE, RED, BLUE],
    (-1, 0, 0, -1): [WHITE, BLUE, GREEN, RED],
}
"""Display matrices `a b c d` and the corners of `quadrants` turned by them."""


def read(path: Path) -> VideoFile:
    return VideoFile(path, realtime=False)


def encoded(rgb: UInt8, suffix: str) -> bytes:
    return cv2.imencode(suffix, rgb[..., ::-1])[1].tobytes()


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def test_every_picture_comes_in_order_with_its_time(tmp_path: Path) -> None:
    source: FrameSource = read(write_video(tmp_path / "a.mp4", greys(30), fps=25))
    frames = list(source)
    assert [f.index for f in frames] == list(range(30))
    assert [f.timestamp_s for f in frames] == pytest.approx(np.arange(30) / 25)
    # Limited-range h264 rounds a grey level by up to two steps; ours are four apart.
    assert [shade(f.image) for f in frames] == pytest.approx(4 * np.arange(30), abs=2)
    assert source.fps == 25
    assert source.dropped == 0
    assert source.warning is None
    assert source.description == "a.mp4"


def test_a_frame_owns_its_pixels(tmp_path: Path) -> None:
    frames = list(read(write_video(tmp_path / "a.mp4", greys(3))))
    assert all(f.image.flags.owndata and f.image.flags.c_contiguous for f in frames)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities here")
@pytest.mark.parametrize("realtime", [False, True])
def test_decoding_ahead_lets_work_on_frames_go_first_unless_in_real_time(
    tmp_path: Path, realtime: bool
) -> None:
    def priority(thread: threading.Thread) -> int:
        assert thread.native_id is not None
        return os.getpriority(os.PRIO_PROCESS, thread.native_id)

    before = priority(threading.current_thread())
    path = write_video(tmp_path / "a.mp4", greys(30))
    pictures = iter(VideoFile(path, realtime=realtime))
    next(pictures)
    (decoding,) = [t for t in threading.enumerate() if t.name == "pixie-decode"]
    assert (priority(decoding) > before) is not realtime
    assert priority(threading.current_thread()) == before


def test_videos_are_read_where_priorities_may_not_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(which: int, who: int, priority: int) -> None:
        raise PermissionError(f"{priority} for {who}, of kind {which}")

    monkeypatch.setattr(os, "setpriority", refuse)
    assert len(list(read(write_video(tmp_path / "a.mp4", greys(5))))) == 5


def test_a_file_can_be_read_twice(tmp_path: Path) -> None:
    source = read(write_video(tmp_path / "a.mp4", greys(5)))
    assert len(list(source)) == len(list(source)) == 5


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.05, 0.3, 1.1, 1.15]
    path = write_video(tmp_path / "a.mp4", greys(6), times_s=times_s)
    found = [f.timestamp_s for f in read(path)]
    assert found == pytest.approx(times_s, abs=1e-4)


def test_time_starts_at_the_first_picture(tmp_path: Path) -> None:
    times_s = [5.0, 5.1, 5.2]
    path = write_video(tmp_path / "a.mkv", greys(3), times_s=times_s)
    assert [f.timestamp_s for f in read(path)] == pytest.approx([0, 0.1, 0.2], abs=2e-3)


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_joined_recordings_go_on_one_after_the_other(
    tmp_path: Path, suffix: str
) -> None:
    path = write_video(tmp_path / f"a.{suffix}", greys(20), fps=20)
    path.write_bytes(2 * path.read_bytes())
    times = [f.timestamp_s for f in read(path)]
    assert times == pytest.approx(np.arange(40) / 20, abs=2e-3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_pixels_that_are_not_square_are_made_so(tmp_path: Path, suffix: str) -> None:
    path = write_video(
        tmp_path / f"a.{suffix}", [quadrants()] * 12, aspect=Fraction(4, 3)
    )
    source = read(path)
    assert source.size == (85, 48)  # stored in 64 x 48
    for frame in source:
        assert frame.image.shape == (48, 85, 3)
        assert corners(frame.image) == [RED, GREEN, BLUE, WHITE]
        middle = frame.image[10, 38:47, 1]  # where red ends and green begins
        assert middle[0] < 60 < 200 < middle[-1]


def test_pixels_are_made_square_before_the_picture_is_turned(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [quadrants()], aspect=Fraction(3, 2))
    set_display_matrix(path, 0, 1, -1, 0)
    (frame,) = read(path)
    assert frame.image.shape == (96, 48, 3)
    assert corners(frame.image) == [BLUE, RED, WHITE, GREEN]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        *ROTATIONS.items(),
        ((-1, 0, 0, 1), [GREEN, RED, WHITE, BLUE]),  # a mirrored selfie
        ((1, 0, 0, -1), [BLUE, WHITE, RED, GREEN]),
    ],
)
def test_pictures_are_turned_as_a_player_shows_them(
    tmp_path: Path,
    matrix: tuple[int, int, int, int],
    expected: list[tuple[int, int, int]],
) -> None:
    path = write_video(tmp_path / "a.mp4", [quadrants()] * 2)
    set_display_matrix(path, *matrix)
    source = read(path)
    for frame in source:
        assert corners(frame.image) == expected
        assert source.size == (frame.image.shape[1], frame.image.shape[0])
    assert source.size == ((64, 48) if matrix[0] else (48, 64))


def test_a_quarter_turn_is_the_one_that_ffmpeg_reports(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [quadrants()])
    set_display_matrix(path, 0, 1, -1, 0)
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0))
    assert stored.rotation == -90  # degrees counter-clockwise
    turned = cv2.rotate(stored.to_ndarray(format="rgb24"), cv2.ROTATE_90_CLOCKWISE)
    (frame,) = read(path)
    np.testing.assert_array_equal(frame.image, turned)


def test_the_conversion_that_is_kept_gives_every_frame_its_pixels(
    tmp_path: Path,
) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    with av.open(str(path)) as container:
        stored = list(container.decode(video=0))
    for frame, expected in zip(read(path), stored, strict=True):
        np.testing.assert_array_equal(frame.image, expected.to_ndarray(format="rgb24"))


@pytest.mark.parametrize("a_to_d", ROTATIONS)
def test_frames_with_a_colour_profile_are_turned_as_others(
    tmp_path: Path, a_to_d: tuple[int, int, int, int]
) -> None:
    png = with_colour_profile(encoded(quadrants(), ".png"))
    path = write_motion_picture(tmp_path / "a.mov", "png", png)
    set_display_matrix(path, *a_to_d)
    (frame,) = read(path)
    assert corners(frame.image) == ROTATIONS[a_to_d]


def test_frames_with_exif_are_turned_as_it_says(tmp_path: Path) -> None:
    jpeg = with_exif_orientation(encoded(quadrants(), ".jpg"), 6)
    (frame,) = read(write_motion_picture(tmp_path / "a.mkv", "mjpeg", jpeg))
    assert corners(frame.image) == ROTATIONS[0, 1, -1, 0]


@pytest.mark.parametrize("suffix", [".bmp", ".jpg", ".png", ".tiff", ".webp"])
def test_a_picture_is_no_video(tmp_path: Path, suffix: str) -> None:
    picture = encoded(quadrants(), suffix)
    if suffix == ".png":
        picture = with_colour_profile(picture)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(picture)
    with pytest.raises(SourceError, match=rf"a\{suffix} is a picture; use --images"):
        read(path)


def test_odd_sizes_and_grey_pictures_are_read(tmp_path: Path) -> None:
    odd = write_video(
        tmp_path / "odd.mkv", [quadrants(63, 47)], codec="ffv1", pixels="bgr0"
    )
    (frame,) = read(odd)
    np.testing.assert_array_equal(frame.image, quadrants(63, 47))
    grey = write_video(tmp_path / "grey.mkv", greys(3), codec="ffv1", pixels="gray")
    assert [f.image.shape for f in read(grey)] == [(48, 64, 3)] * 3


def test_a_one_pixel_video_is_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", greys(1, 1, 1), codec="ffv1", pixels="bgr0")
    assert [f.image.shape for f in read(path)] == [(1, 1, 3)]


def test_the_demo_clip_is_whole() -> None:
    source = read(demo_clip())
    frames = list(source)
    assert len(frames) == 100
    assert frames[0].image.shape == (1920, 1080, 3)
    assert frames[-1].timestamp_s == pytest.approx(99 / 60)
    assert (source.fps, source.warning) == (60, None)


# --- in real time


def test_in_real_time_frames_come_when_they_are_due(tmp_path: Path) -> None:
    source = VideoFile(
        write_video(tmp_path / "a.mp4", greys(20), fps=40), realtime=True
    )
    arrivals = [(time.monotonic(), f) for f in source]
    assert arrivals[-1][1].index == 19
    start_s = arrivals[0][0]
    late_s = [moment_s - start_s - f.timestamp_s for moment_s, f in arrivals]
    # Never early; a busy machine may wake us late now and then.
    assert min(late_s) > -0.005
    assert median(late_s) < 0.05
    assert max(late_s) < 0.5


def test_in_real_time_a_slow_reader_gets_the_newest_and_drops_are_counted(
    tmp_path: Path,
) -> None:
    source = VideoFile(
        write_video(tmp_path / "a.mp4", greys(50), fps=100), realtime=True
    )
    indices, ages_s = [], []
    for frame in source:
        ages_s.append((time.monotonic_ns() - frame.grabbed_ns) / 1e9)
        indices.append(frame.index)
        time.sleep(0.05)
    # Never older than the newest of what was decoded, but for a machine's hiccup.
    assert median(ages_s) < 0.05
    assert max(ages_s) < 0.2
    assert len(indices) < 20
    assert indices[-1] == 49
    assert source.dropped == 50 - len(indices)
    assert indices == sorted(set(indices))


def test_a_reader_slower_than_the_file_still_gets_all_of_it_when_not_in_real_time(
    tmp_path: Path,
) -> None:
    source = read(write_video(tmp_path / "a.mp4", greys(12), fps=1000))
    indices = []
    for frame in source:
        time.sleep(0.01)
        indices.append(frame.index)
    assert indices == list(range(12))
    assert source.dropped == 0


def test_grab_times_are_those_of_handing_out_when_not_in_real_time(
    tmp_path: Path,
) -> None:
    for frame in read(write_video(tmp_path / "a.mp4", greys(8))):
        assert 0 <= time.monotonic_ns() - frame.grabbed_ns < 20e6
        time.sleep(0.03)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_looping_goes_on_in_time_and_number(tmp_path: Path, suffix: str) -> None:
    # AVI has no room for the times that h264's reordered pictures need.
    codec = "ffv1" if suffix == "avi" else "libx264"
    path = write_video(tmp_path / f"a.{suffix}", greys(12), fps=20, codec=codec)
    source = VideoFile(path, realtime=False, loop=True)
    frames = list(islice(source, 40))
    assert [f.index for f in frames] == list(range(40))
    times = [f.timestamp_s for f in frames]
    # Matroska counts milliseconds.
    assert times == pytest.approx(np.arange(40) / 20, abs=2e-3)
    shades = [shade(f.image) for f in frames]
    assert shades[12:24] == shades[24:36] == shades[:12]


_LOOPING = """
from itertools import islice
from tests.runtime.sources.test_video import VideoFile, demo_clip, resident_megabytes
source = VideoFile(demo_clip(), realtime=False, loop=True)
for frame in islice(source, 401):
    if frame.index % 100 == 0:
        print(resident_megabytes())
"""


def test_looping_does_not_pile_up_memory() -> None:
    # In a process of its own: what others have left in this one is used up first.
    done = subprocess.run(
        [sys.executable, "-c", _LOOPING], capture_output=True, text=True, check=True
    )
    resident = [float(line) for line in done.stdout.split()]
    assert len(resident) == 5
    assert resident[-1] - resident[1] < 30, "a pass leaves its pictures (6 MB each)"


def test_closing_ends_the_iteration(tmp_path: Path) -> None:
    source = VideoFile(
        write_video(tmp_path / "a.mp4", greys(6)), realtime=True, loop=True
    )
    count = 0
    for _ in source:
        count += 1
        if count == 3:
            source.close()
    assert count == 3
    assert list(source) == []
    source.close()


# --- what is damaged


def test_a_video_cut_short_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(60), options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = read(path)
    frames = list(source)
    assert 20 <= len(frames) <= 40
    assert source.warning is not None
    assert "a.mp4 is damaged or cut short" in source.warning
    assert f"{len(frames)} frames" in source.warning


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_a_video_damaged_in_the_middle_goes_on_behind_it(
    tmp_path: Path, suffix: str
) -> None:
    path = write_video(tmp_path / f"a.{suffix}", noise(60))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    rng = np.random.default_rng(1)
    data[middle : middle + 20000] = rng.bytes(20000)
    path.write_bytes(data)
    source = read(path)
    frames = list(source)
    assert len(frames) > 25
    # Matroska's reader looks for the next good cluster without a word.
    assert source.warning is not None or suffix == "mkv"
    times = [f.timestamp_s for f in frames]
    assert (np.diff(times) > 0).all()


def test_a_video_whose_index_was_never_written_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(30))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"cannot read .*a\.mp4 as a video: it is"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no video .*nowhere\.mp4"):
        read(tmp_path / "nowhere.mp4")


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder, not a video"):
        read(tmp_path)


def test_an_empty_file_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    with pytest.raises(SourceError, match="is empty"):
        read(path)


def test_any_bytes_are_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(10000))
    with pytest.raises(SourceError, match="as a video"):
        read(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(SourceError, match="no video stream"):
        read(path)


def test_a_video_without_a_single_picture_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(10), options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 8])
    with pytest.raises(SourceError, match="not one picture of the video"):
        read(path)


def test_nothing_is_said_on_the_terminal_about_a_damaged_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(60), options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    script = (
        "import sys; from pathlib import Path\n"
        "from pixie_runtime.sources.video import VideoFile\n"
        "sys.exit(len(list(VideoFile(Path(sys.argv[1]), realtime=False))) == 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "runtime")},
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
