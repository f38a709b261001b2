"""What a run amounts to: counts, rates and latencies, as a value, text and JSON."""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Traffic
from pixie_runtime.wording import counted

_LOWEST_MS = 0.001
_STEP = 1.01
_BINS = 2100  # 0.001 ms times 1.01 to the power 2100 is 20 minutes


@dataclass(frozen=True, slots=True)
class Spread:
    """How a set of durations is spread; milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


class Durations:
    """A histogram of durations: any number of them in constant memory.

    Bins grow by 1 percent each, so that a percentile is off by at most 1 percent.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)
        self._max = 0.0

    def add(self, milliseconds: float) -> None:
        """Count one duration."""
        steps = math.log(max(milliseconds, _LOWEST_MS) / _LOWEST_MS, _STEP)
        self._counts[min(int(steps), _BINS - 1)] += 1
        self._max = max(self._max, milliseconds)

    def percentile(self, percent: float) -> float:
        """Return the duration that `percent` of all do not exceed; 0 if there is none.

        Nearest rank: one of the durations, up to the width of a bin.
        """
        ranks = np.cumsum(self._counts)
        if not ranks[-1]:
            return 0.0
        rank = max(math.ceil(ranks[-1] * percent / 100), 1)
        bin_index = int(np.searchsorted(ranks, rank))
        return float(min(_LOWEST_MS * _STEP ** (bin_index + 0.5), self._max))

    def spread(self) -> Spread:
        """Return the percentiles that reports show."""
        p50, p95, p99 = (self.percentile(p) for p in (50, 95, 99))
        return Spread(round(p50, 3), round(p95, 3), round(p99, 3), round(self._max, 3))


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run of the pipeline, from its first frame to its last."""

    source: str
    """`FrameSource.description`."""
    frames: int
    """Frames that went through every stage."""
    people_frames: int
    """Frames with somebody in them."""
    source_dropped: int
    """Frames overwritten or skipped before anything looked at them."""
    seconds: float
    """From the first frame's arrival to the end of the last frame's sending."""
    latency_ms: Spread
    """From grabbing a frame to having sent it."""
    stages_ms: Mapping[str, Spread]
    """Time in each stage, in the order in which a frame passes them."""
    outputs: Mapping[str, Traffic]
    """What each sink passed on and gave up, by its name."""
    warnings: tuple[str, ...]
    """What the source and the sinks had to say, one sentence each."""
    setup: Mapping[str, str] = field(default_factory=dict)
    """What ran, in words: bundle, body model, and what was chosen about them."""
    summaries: tuple[str, ...] = ()
    """What the sinks made, one line each of those that tell."""

    @property
    def fps(self) -> float:
        """Frames processed per second, the first one included; 0 if there was none."""
        return self.frames / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON's types."""
        return {**dataclasses.asdict(self), "fps": round(self.fps, 2)}

    def text(self, *, with_setup: bool = True) -> str:
        """Return the report as a few lines for a person."""
        return "\n".join(
            [
                *self._numbers(with_setup),
                f"dropped: {self.source_dropped} frames",
                *output_lines(self.outputs),
                *(f"warning: {warning}" for warning in self.warnings),
                *self.summaries,
            ]
        )

    def _numbers(self, with_setup: bool) -> Iterator[str]:
        share = 100 * self.people_frames / max(self.frames, 1)
        yield (
            f"{self.frames} frames of {self.source} in {self.seconds:.1f} s: "
            f"{self.fps:.1f} fps, somebody in {share:.0f}% of them"
            if self.frames
            else f"no frame of {self.source} was read"
        )
        if with_setup and self.setup:
            yield f"with {setup_text(self.setup)}"
        if self.frames:
            stages = ", ".join(f"{n} {s.p50:.1f}" for n, s in self.stages_ms.items())
            yield (
                f"grab to send {self.latency_ms.p50:.1f} ms (median), "
                f"{self.latency_ms.p95:.1f} ms (95%); medians by stage, ms: {stages}"
            )


def output_lines(outputs: Mapping[str, Traffic]) -> Iterator[str]:
    """Yield what went through each output that has something to count."""
    for name, traffic in outputs.items():
        said = []
        if traffic.sent is not None:
            said = [counted(traffic.sent, "message sent", "messages sent")]
        if traffic.connections is not None:
            said[-1:] = [
                f"{said[-1]} to {counted(traffic.connections, 'client', 'clients')}"
            ]
        if said or traffic.dropped:
            yield f"{name}: {', '.join([*said, f'{traffic.dropped} dropped'])}"


def setup_text(setup: Mapping[str, str]) -> str:
    """Return what runs as a phrase: `bundle pixie, body model smplx`."""
    return ", ".join(f"{name.replace('_', ' ')} {what}" for name, what in setup.items())


def write_json(path: Path, contents: Mapping[str, Any]) -> None:
    """Write `contents` to `path`, readable for people too.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
