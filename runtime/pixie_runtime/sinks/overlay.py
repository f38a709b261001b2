"""A video of the bodies over the picture they were seen in."""

import threading
from collections import deque
from pathlib import Path

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering import VideoWriter, draw_text, open_rasteriser
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.painting import Painter
from pixie_runtime.skinning import open_skinner


class OverlayVideo:
    """Draws every tick's people over its frame and writes an h264 mp4.

    Works in a thread of its own, for drawing may be slower than the camera. With
    `live`, `send` never waits: the oldest waiting tick is dropped and counted. Without,
    `send` waits for room and nothing is dropped. The pictures keep their timestamps.
    """

    def __init__(
        self,
        path: Path,
        model: BodyModel,
        fps: float,
        *,
        live: bool = False,
        opacity: float = 0.85,
        max_side: int = 1920,
        waiting: int = 8,
    ) -> None:
        """Open the file.

        Args:
            path: Ends in .mp4, .m4v or .mov.
            model: The body that the parameters belong to.
            fps: Nominal rate, for the encoder; times come from the frames.
            live: Whether the source cannot wait.
            opacity: How much of the picture a body hides, 0 to 1.
            max_side: Larger pictures are shrunk to this many pixels.
            waiting: How many ticks may wait to be drawn.

        Raises:
            SinkError: The file cannot be opened, or its ending is unknown.
        """
        self._path = path
        self._writer = VideoWriter(path, fps)
        self._painter = Painter(
            model,
            opacity=opacity,
            max_side=max_side,
            skinner=open_skinner(model),
            surface=open_rasteriser(),
        )
        self._live = live
        self._limit = waiting
        self._waiting: deque[Tick] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._failure: Exception | None = None
        self._reported = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """What a status line calls it."""
        return f"overlay {self._path.name}"

    @property
    def dropped(self) -> int:
        """Ticks that are not in the video because drawing was too slow."""
        return self._dropped

    def send(self, tick: Tick) -> None:
        """Queue the tick; waits for room unless `live`. SinkError: writing failed."""
        with self._changed:
            if not self._live:
                self._changed.wait_for(
                    lambda: len(self._waiting) < self._limit or self._failure
                )
            self._report_failure()
            if len(self._waiting) >= self._limit:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(tick)
            self._changed.notify_all()

    def close(self) -> None:
        """Draw what waits and finish the file. SinkError: that was not possible."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if not self._reported:
            self._report_failure()

    def _report_failure(self) -> None:
        if self._failure is not None:
            self._reported = True
            raise self._failure

    def _work(self) -> None:
        try:
            while (tick := self._next()) is not None:
                if tick.frame.image.size:
                    image = draw_text(self._painter.paint(tick), _caption(tick))
                    self._writer.write(image, tick.frame.timestamp_s)
            self._writer.close()
        except Exception as error:  # a fault of ours must not pass in silence
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Leave the failure to whoever sends or closes next, and keep what is whole."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()
        self._writer.abandon()

    def _next(self) -> Tick | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            self._changed.notify_all()
            return self._waiting.popleft()


def _caption(tick: Tick) -> list[str]:
    lines = [f"{tick.frame.timestamp_s:.2f} s"]
    for person in tick.people:
        sure = person.confidence
        lines.append(
            f"#{person.track_id}  body {sure.body:.0%}  hands {sure.left_hand:.0%} "
            f"{sure.right_hand:.0%}  face {sure.face:.0%}"
        )
    return lines
