"""A camera: the newest picture, stamped when it was grabbed."""

import threading
import time
from collections.abc import Iterator

from pixie_runtime.errors import SourceError
from pixie_runtime.newest import NewestSlot
from pixie_runtime.sources.devices import (
    CaptureDevice,
    OpenCVDevice,
    available_cameras,
)
from pixie_runtime.sources.outages import Outages
from pixie_runtime.sources.pictures import as_rgb_picture
from pixie_runtime.types import Frame

_START_TIMEOUT_S = 12.0
"""V4L2 gives up on a silent device after ten seconds; then comes our sentence."""

_SILENCE_S = 2.0
"""A camera that gave nothing for so long is worth a warning."""

_FAILURES_BEFORE_REOPENING = 3
"""A single picture that cannot be decoded is no reason to let go of the camera."""

_LONGEST_JOIN_S = 2.0


class CameraSource:
    """Pictures of a camera, always the newest.

    A thread grabs as fast as the camera delivers, and each picture overwrites the one
    that nobody took. When the camera goes away, the thread tries to open it again
    about once a second and `warning` says so; frames go on when it is back, and how
    often it was away is told to the end.
    """

    def __init__(
        self,
        device: int | str,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        capture: CaptureDevice | None = None,
        retry_s: float = 1.0,
        start_timeout_s: float = _START_TIMEOUT_S,
    ) -> None:
        """Open the camera and wait for its first picture.

        Args:
            device: The camera's number or path.
            size: Width and height to ask for, pixels.
            fps: Pictures per second to ask for.
            capture: What to grab with; OpenCV unless given.
            retry_s: Seconds between attempts to get a lost camera back.
            start_timeout_s: Seconds to wait for the first picture.

        Raises:
            SourceError: No such camera, or it gives no picture.
        """
        self._name = f"camera {device}"
        self._capture = capture or OpenCVDevice(device, size=size, fps=fps)
        self._retry_s = retry_s
        self._slot: NewestSlot[Frame] = NewestSlot()
        self._fps: float | None = None
        self._first_ns = 0
        self._last_ns = 0
        self._index = 0
        self._lost = False
        self._outages = Outages()
        self._stop = threading.Event()
        self._started = threading.Event()
        self._failure: str | None = None
        self._thread = threading.Thread(
            target=self._run, name="pixie-camera", daemon=True
        )
        self._thread.start()
        if not self._started.wait(start_timeout_s):
            self._failure = f"{self._name} opened but gave no picture"
        if self._failure is not None:
            self.close()
            raise SourceError(f"{self._failure}; {_what_there_is()}")

    @property
    def description(self) -> str:
        """The camera as the user named it."""
        return self._name

    @property
    def fps(self) -> float | None:
        """What the driver says."""
        return self._fps

    @property
    def dropped(self) -> int:
        """Pictures overwritten before anybody took them."""
        return self._slot.dropped

    @property
    def warning(self) -> str | None:
        """That the camera is gone or silent, or was; None if it always delivered."""
        if self._stop.is_set():
            return None
        said = (self._what_is_amiss(), self._outages.text())
        return f"{self._name} {'; it '.join(filter(None, said))}" if any(said) else None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame whenever there is one, until `close`.

        Raises SourceError when the device breaks in a way that trying again is no use.
        """
        yield from self._slot
        if self._failure is not None:
            raise SourceError(self._failure)

    def close(self) -> None:
        """Stop grabbing and free the camera."""
        self._stop.set()
        self._slot.close()
        # A read that is stuck in the driver cannot be interrupted; its thread frees
        # the camera when the read returns.
        self._thread.join(_LONGEST_JOIN_S)

    def _what_is_amiss(self) -> str:
        if self._lost:
            return "is gone; trying to get it back every second"
        silence_s = (time.monotonic_ns() - self._last_ns) / 1e9
        if silence_s > _SILENCE_S:
            return f"has given no picture for {silence_s:.0f} s"
        return ""

    def _run(self) -> None:
        try:
            if not self._capture.open():
                self._failure = f"cannot open {self._name}: not there or in use"
                return
            self._fps = self._capture.fps
            while not self._stop.is_set():
                self._grab_until_lost()
                if not self._started.is_set():
                    self._failure = f"{self._name} opened but gave no picture"
                    return
                self._reconnect()
        except Exception as error:  # a device's own failure must not hang the reader
            self._failure = f"{self._name} failed: {error}"
        finally:
            self._capture.release()
            self._started.set()
            self._slot.close()

    def _grab_until_lost(self) -> None:
        failures = 0
        while not self._stop.is_set() and failures < _FAILURES_BEFORE_REOPENING:
            found = self._capture.grab()
            # Before the picture is decoded, which takes milliseconds. Strictly
            # increasing even where two fall into one tick of the clock.
            now_ns = max(time.monotonic_ns(), self._last_ns + 1000)
            image = self._capture.retrieve() if found else None
            if image is None:
                failures += 1
                continue
            failures = 0
            self._take_note(now_ns)
            time_s = (now_ns - self._first_ns) / 1e9
            picture = as_rgb_picture(f"a picture of {self._name}", image)
            self._slot.put(Frame(self._index, time_s, now_ns, picture))
            self._index += 1
            self._started.set()

    def _take_note(self, now_ns: int) -> None:
        """Note that the camera gave a picture, and whether it was away until then."""
        self._first_ns = self._first_ns or now_ns
        away_s = (now_ns - (self._last_ns or now_ns)) / 1e9
        if self._lost or away_s > _SILENCE_S:
            self._outages = self._outages.and_one_of(away_s)
        self._last_ns = now_ns
        self._lost = False

    def _reconnect(self) -> None:
        while not self._stop.is_set():
            self._lost = True
            self._capture.release()
            if self._stop.wait(self._retry_s) or self._capture.open():
                return


def _what_there_is() -> str:
    cameras = available_cameras()
    if not cameras:
        return "no camera is connected to this machine"
    return "there is camera " + ", camera ".join(cameras)
