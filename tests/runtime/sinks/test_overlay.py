import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, Tick
from pixie_runtime.sinks.fanout import Fanout
from pixie_runtime.sinks.overlay import OverlayVideo
from pixie_runtime.types import (
    Camera,
    Frame,
    PartConfidence,
    Person,
    SmplxParams,
    UInt8,
)

MODEL = embedded_body_model()
GREEN = (30, 120, 30)


def frame(index: int, timestamp_s: float, size: tuple[int, int] = (160, 120)) -> Frame:
    image = np.empty((size[1], size[0], 3), np.uint8)
    image[:] = GREEN
    return Frame(index, timestamp_s, time.monotonic_ns(), image)


def person(index: int, size: tuple[int, int] = (160, 120)) -> Person:
    params = SmplxParams.rest(MODEL.n_betas, MODEL.n_expression)
    params.rotations[0] = rot.from_rotvec(np.array([np.pi, 0, 0], np.float32))
    params.transl[2] = 3
    shaped = MODEL.shaped(params.betas, params.expression)
    return Person(
        track_id=0,
        frame_index=index,
        timestamp_s=0,
        params=params,
        joints=shaped.posed(params.rotations, params.transl).joints,
        confidence=PartConfidence(0.9, 0.8, 0.7, 0.6),
        camera=Camera.with_field_of_view(*size, 60),
    )


def tick(index: int, timestamp_s: float, size: tuple[int, int] = (160, 120)) -> Tick:
    return Tick(frame(index, timestamp_s, size), (person(index, size),))


def decoded(path: Path) -> list[tuple[float, UInt8]]:
    with av.open(str(path)) as video:
        return [
            (float(f.pts * f.time_base), np.asarray(f.to_ndarray(format="rgb24")))
            for f in video.decode(video=0)
            if f.pts is not None and f.time_base is not None
        ]


def test_the_body_is_over_the_picture_at_the_pictures_times(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times = [3.0, 3.04, 3.05, 3.5, 3.533, 5.0]
    sink: Sink = OverlayVideo(path, MODEL, 30)

    for index, t in enumerate(times):
        sink.send(tick(index, t))
    sink.close()

    shown = decoded(path)
    np.testing.assert_allclose([3 + t for t, _ in shown], times, atol=1e-4)
    for _, image in shown:
        assert image.shape == (120, 160, 3)
        np.testing.assert_allclose(image[110, 10], GREEN, atol=12)
        assert image[60, 80, 0] > 100  # the belly is in the middle
    assert sink.dropped == 0


def test_the_file_plays_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 30)
    sink.send(tick(0, 0.0, (161, 121)))
    sink.close()

    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (162, 122)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"moof" not in content
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_pictures_of_other_sizes_are_fitted(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 10, max_side=128)
    for index, size in enumerate([(256, 192), (100, 300), (1, 1), (300, 90)]):
        sink.send(tick(index, index / 10, size))
    sink.close()

    assert [image.shape for _, image in decoded(path)] == [(96, 128, 3)] * 4


def test_times_that_stand_still_or_run_back_still_make_a_video(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 30)
    for index, t in enumerate([1.0, 1.0, 0.5, 1.1]):
        sink.send(tick(index, t))
    sink.close()

    times = [t for t, _ in decoded(path)]
    assert len(times) == 4
    assert times == sorted(set(times))


def test_frames_without_anybody_are_in_the_video(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 30)
    sink.send(Tick(frame(0, 0.0), ()))
    sink.close()

    [(_, image)] = decoded(path)
    np.testing.assert_allclose(image[60, 80], GREEN, atol=12)


def test_no_frame_leaves_no_file(tmp_path: Path) -> None:
    OverlayVideo(tmp_path / "out.mp4", MODEL, 30).close()

    assert not list(tmp_path.iterdir())


def test_a_recording_waits_and_drops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 30, waiting=1)
    for index in range(25):
        sink.send(tick(index, index / 30))
    sink.close()

    assert len(decoded(path)) == 25
    assert sink.dropped == 0


def test_a_live_source_is_never_kept_waiting(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 30, live=True, waiting=2)
    ticks = [tick(index, index / 30, (1280, 720)) for index in range(30)]

    longest = 0.0
    for each in ticks:
        start = time.perf_counter()
        sink.send(each)
        longest = max(longest, time.perf_counter() - start)
    sink.close()

    shown = decoded(path)
    assert sink.dropped > 0
    assert len(shown) + sink.dropped == 30
    assert longest < 0.5


@pytest.mark.parametrize("name", ["out.avi", "out", "out.mp4.txt"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SinkError, match=r"the ending .* is unknown; use one of \.mp4"):
        OverlayVideo(tmp_path / name, MODEL, 30)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"cannot write the video .*No such file"):
        OverlayVideo(tmp_path / "nowhere" / "out.mp4", MODEL, 30)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SinkError, match=r"cannot write the video .*irectory"):
        OverlayVideo(tmp_path / "folder.mp4", MODEL, 30)


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a disk that is almost full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_before_the_disk_was_full_stays_readable(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.mp4"
    rng = np.random.default_rng(0)
    sink = OverlayVideo(path, MODEL, 30)

    def send_noise() -> None:
        for index in range(200):
            noise = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
            sink.send(Tick(Frame(index, index / 30, 0, noise), ()))

    with disk_of(600_000), pytest.raises(SinkError, match="cannot write the video"):
        send_noise()
    with pytest.raises(SinkError):  # and says so again to whoever sends on
        sink.send(tick(200, 7.0))
    sink.close()

    assert len(decoded(path)) >= 15


def test_a_picture_that_no_encoder_takes_ends_it_with_a_sentence(
    tmp_path: Path,
) -> None:
    sink = OverlayVideo(tmp_path / "out.mp4", MODEL, 30, max_side=20_000)
    sink.send(Tick(frame(0, 0.0, (16_400, 2)), ()))
    with pytest.raises(SinkError, match=r"cannot write the video .*external library"):
        sink.close()


def test_a_fault_of_ours_is_a_failure_of_the_overlay(tmp_path: Path) -> None:
    outputs = Fanout([OverlayVideo(tmp_path / "out.mp4", MODEL, 30)])
    outputs.send(Tick(frame(0, float("nan")), ()))
    with pytest.raises(SinkError, match=r"please report it \(ValueError: cannot "):
        outputs.close()


def test_a_run_that_is_cut_off_leaves_a_readable_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = OverlayVideo(path, MODEL, 30)
    for index in range(60):
        sink.send(tick(index, index / 30))
    deadline = time.monotonic() + 20
    while path.read_bytes().count(b"moof") < 2 and time.monotonic() < deadline:
        time.sleep(0.05)

    copy = tmp_path / "as-it-is-now.mp4"
    copy.write_bytes(path.read_bytes())
    sink.close()

    assert len(decoded(copy)) >= 15
    assert len(decoded(path)) == 60


def test_closing_ends_the_thread(tmp_path: Path) -> None:
    sink = OverlayVideo(tmp_path / "ends.mp4", MODEL, 30)
    assert sink.name in [thread.name for thread in threading.enumerate()]

    sink.close()

    assert sink.name not in [thread.name for thread in threading.enumerate()]
