"""The viewer of a run: its page, its recordings, and how a browser is brought there."""

import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

from pixie_runtime.addresses import Address
from pixie_runtime.body import BodyModel
from pixie_runtime.controls import Controls
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.recording_switch import RecordingSwitch
from pixie_runtime.sources import FrameSource
from pixie_runtime.viewer.desk import LiveDesk
from pixie_runtime.viewer.sink import ViewerSink


def open_viewer(
    address: Address,
    source: FrameSource,
    model: BodyModel,
    controls: Controls,
    begin_take: Callable[[Path], Sink],
) -> Iterator[Sink]:
    """Yield the page, and the recordings that are begun there.

    Args:
        address: Where to listen.
        source: What is captured.
        model: The body to show.
        controls: What the page steers.
        begin_take: Opens a recording at a path.

    Raises:
        SinkError: the address cannot be listened on.
    """
    recording = RecordingSwitch(begin_take, Path.cwd())
    desk = LiveDesk(model, controls, recording)
    viewer = ViewerSink(
        address,
        model,
        desk,
        title=source.description,
        source_dropped=lambda: source.dropped,
    )
    yield viewer
    bring_browser(viewer.urls[0])
    yield recording


def bring_browser(url: str) -> None:
    """Open the page where a user sits before this very terminal, on a desktop."""
    if sys.stderr.isatty() and _has_desktop():
        webbrowser.open(url)


def _has_desktop() -> bool:
    if "SSH_CONNECTION" in os.environ:
        return False
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return sys.platform != "linux" or named
