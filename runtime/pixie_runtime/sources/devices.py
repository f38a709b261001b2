"""Capture devices: OpenCV's, and the Protocol that lets a test script one."""

import sys
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from pixie_runtime.sources.pictures import silence_opencv
from pixie_runtime.types import UInt8

_SYSFS = Path("/sys/class/video4linux")


class CaptureDevice(Protocol):
    """A camera as the grab thread sees it; used by that thread alone."""

    def open(self) -> bool:
        """Take hold of the device; False when it is not there or taken."""
        ...

    def grab(self) -> bool:
        """Wait for the next picture and hold it; False when none can be had."""
        ...

    def retrieve(self) -> UInt8 | None:
        """Return the picture held, RGB (H, W, 3); None when it cannot be decoded."""
        ...

    def release(self) -> None:
        """Let go of the device; harmless when it is not open."""
        ...

    @property
    def fps(self) -> float | None:
        """What the open device says its rate is; None when it does not."""
        ...


class OpenCVDevice:
    """A camera through OpenCV: V4L2 on Linux, elsewhere what OpenCV prefers."""

    def __init__(
        self,
        device: int | str,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
    ) -> None:
        """Remember what to open.

        Args:
            device: A camera's number or its path, e.g. /dev/v4l/by-id/...
            size: Width and height to ask for, pixels; the driver takes the nearest.
            fps: Pictures per second to ask for.
        """
        self._device = device
        self._size = size
        self._fps = fps
        self._capture: cv2.VideoCapture | None = None

    @property
    def fps(self) -> float | None:
        """What the driver says."""
        if self._capture is None:
            return None
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        return fps if fps > 0 else None

    def open(self) -> bool:
        """Open the device and ask for the size and rate. Silences OpenCV's log."""
        silence_opencv()
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        capture = cv2.VideoCapture(self._device, backend)
        if not capture.isOpened():
            capture.release()
            return False
        # One buffer: what is not fetched is overwritten in the driver, not queued.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if self._size or self._fps:
            # Raw pictures of HD size do not fit through USB 2 at full rate; a camera
            # that has no MJPEG ignores this.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        if self._size:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        if self._fps:
            capture.set(cv2.CAP_PROP_FPS, self._fps)
        self._capture = capture
        return True

    def grab(self) -> bool:
        """Take a picture out of the driver, which gives up after seconds of silence."""
        return self._capture is not None and self._capture.grab()

    def retrieve(self) -> UInt8 | None:
        """Decode the picture that was grabbed."""
        if self._capture is None:
            return None
        found, bgr = self._capture.retrieve()
        if not found or bgr is None:
            return None
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def release(self) -> None:
        """Free the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def available_cameras(sysfs: Path = _SYSFS) -> list[str]:
    """Return the cameras that Linux lists, as "0 (HD Webcam, /dev/video0)".

    Nodes that carry no pictures (a webcam's second node is metadata) are left out.
    """
    found = []
    for entry in sorted(sysfs.glob("video*"), key=lambda e: (len(e.name), e.name)):
        index = _text(entry / "index")
        if index not in ("", "0"):
            continue
        number = entry.name.removeprefix("video")
        label = _text(entry / "name") or "unnamed"
        found.append(f"{number} ({label}, /dev/{entry.name})")
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
