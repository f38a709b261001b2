"""Where frames come from: cameras, video files, pictures."""

from collections.abc import Iterator
from typing import Protocol

from pixie_runtime.types import Frame


class FrameSource(Protocol):
    """Yields frames in order of time until the material ends or it is closed.

    Live sources hand out the newest frame and count what they overwrote; file sources
    played in real time skip frames that are late and count them; file sources read as
    fast as possible drop nothing.
    """

    @property
    def description(self) -> str:
        """What a status line calls it: the file's name, "camera 0"."""
        ...

    @property
    def fps(self) -> float | None:
        """Nominal frames per second; None where the source does not know."""
        ...

    @property
    def dropped(self) -> int:
        """Frames grabbed so far and overwritten or skipped unseen."""
        ...

    @property
    def warning(self) -> str | None:
        """What is or was amiss, one sentence: a lost camera, a file cut short."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Stop and free the device or file; iteration ends at the next frame."""
        ...
