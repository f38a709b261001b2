"""From a picture to body, hand and face landmarks, tracked from frame to frame."""

from typing import Protocol

from pixie_runtime.types import Frame, PersonLandmarks


class Landmarker(Protocol):
    """Finds one person's landmarks and follows them through a stream of frames."""

    def detect(self, frame: Frame) -> PersonLandmarks:
        """Return what is in `frame`; `PersonLandmarks.is_empty` if nobody is."""
        ...

    def reset(self) -> None:
        """Forget the person: the next frame is looked at afresh."""
        ...

    def close(self) -> None:
        """Free what the models hold."""
        ...
