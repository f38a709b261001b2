"""A recording that is begun and ended while the capture goes on."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from pixie_runtime.errors import PixieError, SinkError
from pixie_runtime.sinks import Sink, Tick
from pixie_runtime.wording import sentence_of

_SUFFIX = ".mcap"


@dataclass(frozen=True, slots=True)
class RecordingState:
    """How a recording is doing."""

    on: bool
    name: str = ""
    """The file that is being written, or was last."""
    seconds: float = 0.0
    """How long it has been written, or was."""
    frames: int = 0
    """How many frames with somebody in them it was given."""
    problem: str = ""
    """Why the last one ended or could not begin, one sentence."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        return asdict(self)


class RecordingSwitch:
    """Passes ticks on to a recording while one is switched on.

    Each recording is a file of its own in `folder`, named after the time. One that
    fails ends alone, and says so in `state` and `warnings`: the capture goes on.

    Args:
        begin: Opens a recording at a path.
        folder: Where recordings go.
        now: What time it is, for their names.
    """

    name = "recording"

    def __init__(
        self,
        begin: Callable[[Path], Sink],
        folder: Path,
        *,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._begin = begin
        self._folder = folder
        self._now = now
        self._switching = threading.Lock()
        # Held for the length of one send: what ends a recording waits for it.
        self._sending = threading.Lock()
        self._sink: Sink | None = None
        self._path = folder
        self._began_s = self._seconds = 0.0
        self._frames = 0
        self._problem = ""
        self._warnings: list[str] = []
        self._summaries: list[str] = []

    @property
    def dropped(self) -> int:
        """Always 0: a recording keeps every frame or ends."""
        return 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which recordings failed, and why."""
        return tuple(self._warnings)

    @property
    def summary(self) -> str:
        """What was recorded."""
        return "\n".join(self._summaries)

    @property
    def state(self) -> RecordingState:
        """How it is doing."""
        on = self._sink is not None
        return RecordingState(
            on=on,
            name=self._path.name if self._path != self._folder else "",
            seconds=round(time.monotonic() - self._began_s if on else self._seconds, 1),
            frames=self._frames,
            problem=self._problem,
        )

    def start(self) -> None:
        """Begin a recording, unless one is being made.

        Raises:
            PixieError: it cannot be written.
        """
        with self._switching:
            if self._sink is not None:
                return
            self._path = self._free_path()
            self._problem, self._frames, self._seconds = "", 0, 0.0
            try:
                sink = self._begin(self._path)
            except PixieError as error:
                self._fail(error)
                raise
            self._began_s = time.monotonic()
            self._sink = sink

    def stop(self) -> None:
        """End the recording, if there is one, and finish its file.

        Raises:
            SinkError: the file could not be finished.
        """
        with self._switching:
            with self._sending:
                sink, self._sink = self._sink, None
            if sink is None:
                return
            self._seconds = time.monotonic() - self._began_s
            try:
                sink.close()
            except SinkError as error:
                self._fail(error)
                raise
            finally:
                # Only now: some have to be said at the end.
                self._warnings += getattr(sink, "warnings", ())
            if not self._path.exists():
                self._problem = f"nobody was in view: {self._path.name} is not written"
                return
            self._summaries.append(
                f"recording: {self._path} ({self._frames} frames, "
                f"{self._seconds:.1f} s)"
            )

    def send(self, tick: Tick) -> None:
        """Pass the tick on, if a recording is being made."""
        with self._sending:
            if self._sink is None:
                return
            try:
                self._sink.send(tick)
                self._frames += bool(tick.people)
                return
            except Exception as error:
                failed, self._sink = self._sink, None
                self._fail(error)
        try:
            failed.close()
        except Exception as error:
            self._fail(error)
        finally:
            self._warnings += getattr(failed, "warnings", ())

    def close(self) -> None:
        """End the recording that is being made.

        Raises:
            SinkError: its file could not be finished.
        """
        self.stop()

    def _fail(self, error: Exception) -> None:
        self._problem = sentence_of(error, "the recording")
        self._warnings.append(self._problem)

    def _free_path(self) -> Path:
        stem = self._now().strftime("take-%Y%m%d-%H%M%S")
        names = (f"{stem}-{n}" if n > 1 else stem for n in count(1))
        paths = (self._folder / f"{name}{_SUFFIX}" for name in names)
        return next(path for path in paths if not path.exists())
