"""The whole chain on a clip, as a user runs it: source to OSC, no picture drawn."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixie_bench.machine import peak_resident_mb, process_age_s, resident_mb
from pixie_runtime.assembly import open_pipeline, open_source
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Progress
from pixie_runtime.report import Durations, Spread
from pixie_runtime.stream_options import StreamOptions


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What one run of the chain measured, the warm-up left out."""

    frames: int
    people_frames: int
    seconds: float
    fps: float
    latency_ms: Spread
    """From grabbing a frame to having sent it."""
    stages_ms: dict[str, Spread]
    rss_mb: list[tuple[float, float]]
    """(seconds since the start, resident memory in MB); empty where not known."""
    engine: str = ""
    """What ran the networks."""
    first_frame_s: float | None = None
    """From the process's start, its imports included, to the first frame sent."""
    resident_mb: float | None = None
    """Memory at the end."""
    peak_resident_mb: float | None = None
    """The most that it ever was, while networks were opened too."""

    @property
    def rss_growth_mb_per_minute(self) -> float:
        """Slope of a line through the second half of the samples."""
        later = np.asarray(self.rss_mb[len(self.rss_mb) // 2 :])
        if len(later) < 2:
            return 0.0
        return float(np.polyfit(later[:, 0], later[:, 1], 1)[0] * 60)

    def lines(self) -> Iterator[str]:
        """Yield the numbers as `name value`."""
        yield f"frames {self.frames}"
        yield f"people_frames {self.people_frames}"
        yield f"seconds {self.seconds:.1f}"
        yield f"fps {self.fps:.1f}"
        for name, spread in {"latency": self.latency_ms, **self.stages_ms}.items():
            yield f"{name}_p50_ms {spread.p50:.2f}"
            yield f"{name}_p95_ms {spread.p95:.2f}"
        if self.first_frame_s is not None:
            yield f"first_frame_s {self.first_frame_s:.2f}"
        if self.peak_resident_mb is not None:
            yield f"rss_peak_mb {self.peak_resident_mb:.0f}"
        if self.rss_mb:
            yield f"rss_first_mb {self.rss_mb[0][1]:.0f}"
            yield f"rss_last_mb {self.rss_mb[-1][1]:.0f}"
            yield f"rss_growth_mb_per_minute {self.rss_growth_mb_per_minute:.2f}"


@dataclass
class _Meter:
    """Counts what it observes, once the warm-up is over."""

    warm_up: int
    sample_every_s: float
    seen: int = 0
    people_frames: int = 0
    began_s: float = 0.0
    latency: Durations = field(default_factory=Durations)
    stages: dict[str, Durations] = field(default_factory=dict)
    rss_mb: list[tuple[float, float]] = field(default_factory=list)
    first_frame_s: float | None = None

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began_s if self.began_s else 0.0

    def observe(self, progress: Progress) -> None:
        self.seen += 1
        if self.seen == 1:
            self.first_frame_s = process_age_s()
        if self.seen <= self.warm_up:
            self.began_s = time.perf_counter()
            return
        self.latency.add(progress.latency_ms)
        for person in progress.tick.people[:1]:
            self.people_frames += 1
            for name, milliseconds in person.times.milliseconds().items():
                self.stages.setdefault(name, Durations()).add(milliseconds)
        due = not self.rss_mb or self.seconds - self.rss_mb[-1][0] > self.sample_every_s
        megabytes = resident_mb() if due else None
        if megabytes is not None:
            self.rss_mb.append((round(self.seconds, 2), round(megabytes, 1)))


def measure_live(
    *,
    video: Path | None = None,
    bundle: Path | None = None,
    engine: EngineKind = "auto",
    precision: Precision = "auto",
    rates: str | None = None,
    seconds: float = 20.0,
    warm_up: int = 30,
) -> LiveResult:
    """Run the chain on a looped clip for `seconds` after `warm_up` frames.

    OSC goes to a port of this machine that takes it and throws it away. The time of
    the first frame is that of the program where this is all that the process does.
    """
    meter = _Meter(warm_up=warm_up, sample_every_s=max(seconds / 40, 0.25))
    with discarding_port() as port:
        options = Options(
            video=video,
            demo=video is None,
            loop=True,
            as_fast_as_possible=True,
            streaming=StreamOptions(osc=(f"127.0.0.1:{port}",)),
            bundle=bundle,
            engine=engine,
            precision=precision,
            rates=rates,
        )
        source = open_source(options)

        def observe(progress: Progress) -> None:
            meter.observe(progress)
            if meter.seconds >= seconds and meter.seen > warm_up:
                source.close()

        with open_pipeline(options, source) as pipeline:
            pipeline.run(observe=observe)
            resident = resident_mb()
    frames, elapsed = meter.seen - warm_up, meter.seconds
    return LiveResult(
        frames=frames,
        people_frames=meter.people_frames,
        seconds=round(elapsed, 2),
        fps=round(frames / elapsed, 2),
        latency_ms=meter.latency.spread(),
        stages_ms={name: d.spread() for name, d in meter.stages.items()},
        rss_mb=meter.rss_mb,
        engine=pipeline.setup.get("engine", ""),
        first_frame_s=meter.first_frame_s,
        resident_mb=resident,
        peak_resident_mb=peak_resident_mb(),
    )


@contextmanager
def discarding_port() -> Iterator[int]:
    """Bind a UDP port that nobody reads: the system drops what does not fit."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        yield receiver.getsockname()[1]
