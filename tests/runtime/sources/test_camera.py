import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.errors import SourceError
from pixie_runtime.sources import FrameSource
from pixie_runtime.sources.camera import CameraSource
from pixie_runtime.sources.devices import OpenCVDevice, available_cameras
from pixie_runtime.types import UInt8

needs_no_camera = pytest.mark.skipif(
    bool(available_cameras()), reason="this machine has a camera"
)


class ScriptedCamera:
    """A camera that does what a test tells it to, picture number as brightness."""

    def __init__(self, *, interval_s: float = 0.005) -> None:
        self.interval_s = interval_s
        self.plugged = True
        self.decoding_s = 0.0
        self.bad_pictures = 0
        self.stuck = threading.Event()
        self.let_go = threading.Event()
        self.is_open = False
        self.opened = 0
        self.count = 0

    @property
    def fps(self) -> float | None:
        return 1 / self.interval_s

    def open(self) -> bool:
        self.is_open = self.plugged
        self.opened += self.plugged
        return self.plugged

    def grab(self) -> bool:
        time.sleep(self.interval_s)
        if self.stuck.is_set():
            self.let_go.wait(20)
        return self.plugged

    def retrieve(self) -> UInt8 | None:
        time.sleep(self.decoding_s)
        if self.bad_pictures:
            self.bad_pictures -= 1
            return None
        self.count += 1
        return np.full((4, 6, 3), self.count % 256, np.uint8)

    def release(self) -> None:
        self.is_open = False


@pytest.fixture
def device() -> Iterator[ScriptedCamera]:
    device = ScriptedCamera()
    yield device
    device.let_go.set()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s, "waited ten seconds in vain"
        time.sleep(0.005)


def test_frames_come_with_number_time_and_the_moment_of_grabbing(
    device: ScriptedCamera,
) -> None:
    source = CameraSource(0, capture=device)
    as_source: FrameSource = source
    frames = []
    for frame in as_source:
        frames.append(frame)
        if len(frames) == 10:
            break
    source.close()
    assert (source.description, source.fps, source.warning) == ("camera 0", 200, None)
    times = [f.timestamp_s for f in frames]
    assert (np.diff(times) > 0).all()
    for frame in frames:
        assert frame.image[0, 0, 0] == frame.index + 1
        elapsed_s = (frame.grabbed_ns - frames[0].grabbed_ns) / 1e9
        assert frame.timestamp_s - times[0] == pytest.approx(elapsed_s, abs=1e-6)
    assert not device.is_open


def test_a_slow_reader_gets_the_newest_and_the_rest_is_counted(
    device: ScriptedCamera,
) -> None:
    source = CameraSource(0, capture=device)
    indices = []
    for frame in source:
        assert (time.monotonic_ns() - frame.grabbed_ns) / 1e6 < 50
        indices.append(frame.index)
        if len(indices) == 6:
            break
        time.sleep(0.05)
    source.close()
    # What lies in the slot when reading ends was neither taken nor overwritten.
    assert 0 <= indices[-1] + 1 - len(indices) - source.dropped <= 1
    assert source.dropped > 10


def test_an_unplugged_camera_is_waited_for_and_goes_on(device: ScriptedCamera) -> None:
    source = CameraSource("/dev/cam", capture=device, retry_s=0.05)
    frames = iter(source)
    last = next(frames)
    device.plugged = False
    wait_until(lambda: source.warning is not None)
    assert source.warning is not None
    assert "camera /dev/cam is gone" in source.warning
    wait_until(lambda: not device.is_open)
    threading.Timer(0.2, setattr, [device, "plugged", True]).start()
    next(frames)  # may be one that was grabbed before
    after = next(frames)
    assert device.opened == 2
    assert after.index > last.index
    assert after.timestamp_s > last.timestamp_s + 0.1
    wait_until(lambda: "is gone" not in (source.warning or ""))
    once = r"was gone or silent once, \d+\.\d s in all"
    assert re.fullmatch(f"camera /dev/cam {once}", source.warning or "")
    device.plugged = False
    wait_until(lambda: "is gone" in (source.warning or ""))
    both = f"camera /dev/cam is gone; trying to get it back every second; it {once}"
    assert re.fullmatch(both, source.warning or "")
    device.plugged = True
    wait_until(lambda: "silent twice" in (source.warning or ""))
    source.close()


def test_a_frame_is_stamped_before_it_is_decoded() -> None:
    device = ScriptedCamera()
    device.decoding_s = 0.05
    source = CameraSource(0, capture=device)
    frame = next(iter(source))
    source.close()
    assert time.monotonic_ns() - frame.grabbed_ns > 0.05e9


def test_a_single_bad_picture_does_not_make_us_let_go(device: ScriptedCamera) -> None:
    source = CameraSource(0, capture=device)
    device.bad_pictures = 2
    count = device.count
    wait_until(lambda: device.count > count + 2)
    assert device.opened == 1
    source.close()


def test_a_silent_camera_is_reported_and_does_not_hold_up_the_end(
    device: ScriptedCamera,
) -> None:
    source = CameraSource(0, capture=device)
    device.stuck.set()
    wait_until(lambda: source.warning is not None)
    assert source.warning is not None
    assert "has given no picture for 2 s" in source.warning
    threading.Timer(0.1, source.close).start()
    assert len(list(source)) <= 1


def test_closing_ends_the_wait_for_a_lost_camera(device: ScriptedCamera) -> None:
    source = CameraSource(0, capture=device, retry_s=60)
    device.plugged = False
    wait_until(lambda: source.warning is not None)
    start_s = time.monotonic()
    source.close()
    assert time.monotonic() - start_s < 1
    assert len(list(source)) <= 1


def test_a_camera_that_opens_but_gives_nothing_is_refused(
    device: ScriptedCamera,
) -> None:
    device.bad_pictures = 1000
    with pytest.raises(SourceError, match="camera 3 opened but gave no picture"):
        CameraSource(3, capture=device)


def test_a_camera_that_is_stuck_from_the_start_is_refused(
    device: ScriptedCamera,
) -> None:
    device.stuck.set()
    threading.Timer(0.3, device.let_go.set).start()
    with pytest.raises(SourceError, match="camera 3 opened but gave no picture"):
        CameraSource(3, capture=device, start_timeout_s=0.1)
    wait_until(lambda: not device.is_open)


def test_a_camera_that_is_not_there_is_named_and_those_that_are(
    device: ScriptedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.plugged = False
    monkeypatch.setattr(
        "pixie_runtime.sources.camera.available_cameras",
        lambda: ["0 (HD Webcam, /dev/video0)", "2 (Capture, /dev/video2)"],
    )
    sentence = (
        r"cannot open camera 7: not there or in use; there is camera 0 \(HD Webcam, "
        r"/dev/video0\), camera 2 \(Capture, /dev/video2\)"
    )
    with pytest.raises(SourceError, match=sentence):
        CameraSource(7, capture=device)


def test_a_device_that_breaks_ends_the_stream_with_one_sentence(
    device: ScriptedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CameraSource(0, capture=device)

    def broken() -> bool:
        raise RuntimeError("bus error")

    monkeypatch.setattr(device, "grab", broken)
    with pytest.raises(SourceError, match="camera 0 failed: bus error"):
        list(source)
    source.close()


@needs_no_camera
@pytest.mark.parametrize("name", [0, "/dev/video99"])
def test_opencv_without_a_camera_says_one_sentence(name: int | str) -> None:
    with pytest.raises(SourceError, match="no camera is connected to this machine"):
        CameraSource(name)


@needs_no_camera
def test_opencv_says_nothing_on_the_terminal() -> None:
    script = (
        "from pixie_runtime.sources.devices import OpenCVDevice\n"
        "device = OpenCVDevice(0, size=(640, 480), fps=30)\n"
        "assert not device.open() and not device.grab() and device.fps is None\n"
        "device.release()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "runtime")},
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_device_that_is_not_open_gives_nothing() -> None:
    device = OpenCVDevice(0)
    assert not device.grab()
    assert device.retrieve() is None
    device.release()


def test_cameras_are_listed_without_their_metadata_nodes(tmp_path: Path) -> None:
    for node, name, index in (
        ("video0", "HD Webcam", "0"),
        ("video1", "HD Webcam", "1"),
        ("video10", "Capture", "0"),
        ("video2", "", "0"),
    ):
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(name + "\n")
        (tmp_path / node / "index").write_text(index + "\n")
    assert available_cameras(tmp_path) == [
        "0 (HD Webcam, /dev/video0)",
        "2 (unnamed, /dev/video2)",
        "10 (Capture, /dev/video10)",
    ]
    assert available_cameras(tmp_path / "nowhere") == []
