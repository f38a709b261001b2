"""The status line: how a run is doing, while it runs."""

import shutil
import textwrap
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TextIO

import numpy as np

from pixie_runtime.pipeline import Losses, Progress
from pixie_runtime.sinks import Traffic
from pixie_runtime.types import PARTS, PartConfidence
from pixie_runtime.wording import counted

_WINDOW_S = 3.0
_TERMINAL_PERIOD_S = 0.25
_PLAIN_PERIOD_S = 5.0
_BETWEEN = " | "
_UP, _ERASE_LINE, _ERASE_BELOW = "\x1b[A", "\x1b[K", "\x1b[J"


@dataclass(frozen=True, slots=True)
class Status:
    """What the line says, at one moment."""

    fps: float
    """Frames sent per second, over the last few seconds."""
    latencies_ms: Sequence[float]
    """Grab to send, of the same frames."""
    frames_dropped: int
    """Frames that the source overwrote or skipped, since the start."""
    outputs: Mapping[str, Traffic]
    """What each output passed on and gave up since the start, by its name."""
    confidence: PartConfidence | None
    """Of the first person in the newest frame; None: nobody in view."""
    warnings: tuple[str, ...] = ()
    people: int = 1
    """How many were in the newest frame; said where there are several."""
    progress: str = ""
    """How far the run has come, where that is known: `7 of 20`."""

    def text(self) -> str:
        """Return the line, without its end."""
        return _BETWEEN.join(self.parts())

    def parts(self) -> tuple[str, ...]:
        """Return what the line says, one thing after the other."""
        parts = [self.progress] if self.progress else []
        if self.latencies_ms:
            p50, p95 = np.percentile(self.latencies_ms, (50, 95))
            parts += [f"{self.fps:.1f} fps", f"{p50:.0f}/{p95:.0f} ms p50/p95"]
            parts += [f"{self.people} people"] if self.people > 1 else []
            parts += [_confidence_text(self.confidence)]
        else:
            parts += ["waiting for frames"]
        parts += [f"{self.frames_dropped} dropped"]
        return (*parts, *_output_texts(self.outputs), *self.warnings)


def _output_texts(outputs: Mapping[str, Traffic]) -> Iterator[str]:
    """Yield how each output fares; files only where they lose something."""
    for name, traffic in outputs.items():
        said = []
        if traffic.clients is not None:
            said += [counted(traffic.clients, "client", "clients")]
        if traffic.sent is not None:
            said += [f"{traffic.sent} sent"]
        if traffic.dropped:
            said += [f"{traffic.dropped} dropped"]
        if said:
            yield f"{name}: {', '.join(said)}"


def _confidence_text(confidence: PartConfidence | None) -> str:
    if confidence is None:
        return "nobody in view"
    return " ".join(
        f"{part.replace('_', ' ')} {getattr(confidence, part):.2f}" for part in PARTS
    )


class StatusLine:
    """Keeps the line up to date from a thread of its own.

    A thread, because the line matters most while no frame comes: a camera that went
    away. In a terminal it is rewritten, over as many rows as it needs; elsewhere a line
    is added now and then.
    """

    def __init__(
        self,
        stream: TextIO,
        losses: Callable[[], Losses],
        *,
        frames: int | None = None,
        heading: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the line; entering the context starts it.

        Args:
            stream: Where it is written.
            losses: Tells what was lost so far.
            frames: How many frames there will be, if that is known.
            heading: A line that is written once, before it.
            clock: Seconds.
        """
        self._stream = stream
        self._losses = losses
        self._frames = frames
        self._heading = heading
        self._clock = clock
        self._rewrites = stream.isatty()
        self._rows = 1
        self._period_s = _TERMINAL_PERIOD_S if self._rewrites else _PLAIN_PERIOD_S
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, float]] = deque()
        self._confidence: PartConfidence | None = None
        self._people = 0
        self._done = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_writing, name="status line", daemon=True
        )

    def observe(self, progress: Progress) -> None:
        """Take note of one frame."""
        if self._ended.is_set():
            return
        people = progress.tick.people
        with self._lock:
            now = self._clock()
            self._recent.append((now, progress.latency_ms))
            self._forget_before(now - _WINDOW_S)
            self._confidence = people[0].confidence if people else None
            self._people = len(people)
            self._done = progress.tick.frame.index + 1

    def status(self) -> Status:
        """Return what the line says now."""
        now = self._clock()
        with self._lock:
            self._forget_before(now - _WINDOW_S)
            recent, confidence = list(self._recent), self._confidence
            done, people = self._done, self._people
        losses = self._losses()
        return Status(
            fps=_rate([moment for moment, _ in recent]),
            latencies_ms=[latency for _, latency in recent],
            frames_dropped=losses.frames_dropped,
            outputs=losses.outputs,
            confidence=confidence,
            warnings=losses.warnings,
            people=people,
            progress="" if self._frames is None else f"{done} of {self._frames}",
        )

    def __enter__(self) -> Self:
        if self._heading:
            self._write(f"{self._heading}\n")
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._rewrites:
            self._write(self._to_the_start() + _ERASE_BELOW)

    def _forget_before(self, moment: float) -> None:
        while self._recent and self._recent[0][0] < moment:
            self._recent.popleft()

    def _keep_writing(self) -> None:
        while not self._ended.wait(self._period_s):
            status = self.status()
            self._write(
                self._rewritten(status.parts())
                if self._rewrites
                else f"{status.text()}\n"
            )

    def _rewritten(self, parts: Sequence[str]) -> str:
        """Return what puts the parts in the place of what the terminal shows now."""
        start = self._to_the_start()
        rows = _wrapped(parts, shutil.get_terminal_size().columns - 1)
        self._rows = len(rows)
        return start + "\n".join(f"{row}{_ERASE_LINE}" for row in rows) + _ERASE_BELOW

    def _to_the_start(self) -> str:
        return "\r" + _UP * (self._rows - 1)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more; that is no reason to stop capturing.
            self._ended.set()


def _wrapped(parts: Sequence[str], width: int) -> list[str]:
    """Return the parts in rows of at most `width` characters."""
    rows = [""]
    for part in parts:
        joined = f"{rows[-1]}{_BETWEEN}{part}" if rows[-1] else part
        if len(joined) <= width:
            rows[-1] = joined
        else:
            rows += textwrap.wrap(part, max(width, 1))
    return [row for row in rows if row]


def _rate(moments: Sequence[float]) -> float:
    """Return events per second from their moments in seconds; 0 for a lone one."""
    if len(moments) < 2:
        return 0.0
    return (len(moments) - 1) / max(moments[-1] - moments[0], 1e-9)
