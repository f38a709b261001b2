"""An image bundle on a clip, stage by stage, for both ways to find head and hands.

The program's own chain runs, behind clocks at its seams: what lies between two networks
is named after what is done there.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pixie_bench.machine import Bystanders, machine
from pixie_bench.timing import Clock, Run, TimedEngine, TimedLandmarker
from pixie_runtime.assembly import (
    Makers,
    choose_makers,
    open_landmarker,
    open_source,
    smoothing,
)
from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.bundle import Bundle
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.errors import UsageError
from pixie_runtime.eye_estimator import EyeEstimator
from pixie_runtime.image_estimator import (
    ATTENTIONS,
    NETWORKS,
    Attention,
    ImageEstimator,
)
from pixie_runtime.landmarks import OnePerson
from pixie_runtime.network import tracking_rates
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Pipeline, Progress
from pixie_runtime.resampling import WarmingResampler, open_resampler
from pixie_runtime.types import StageTimes

_NETWORK_STAGES = {
    "body": "body",
    "coarse": "coarse",
    "head": "head",
    "hand": "hands",
    "fuse": "fuse",
}
_PREPARATIONS = {
    "body": "body crop",
    "coarse": "part crops",
    "head": "part crops",
    "hand": "part crops",
    "fuse": "part crops",
}
"""What is done before a network, after the one before."""
STAGES = (
    "landmarks",
    "body crop",
    "body",
    "coarse",
    "part crops",
    "head",
    "hands",
    "fuse",
    "placement",
    "smoothing",
    "total",
    "outside networks",
)


def stage_milliseconds(runs: Sequence[Run], times: StageTimes) -> dict[str, float]:
    """Return how long each stage of one frame took.

    Args:
        runs: what ran for the frame: the landmarker, then the bundle's networks.
        times: when the pipeline's own stages were done.
    """
    spent = dict.fromkeys(STAGES, 0.0)
    spent["landmarks"] = runs[0].milliseconds
    done_ns = runs[0].ended_ns
    for run in runs[1:]:
        spent[_PREPARATIONS[run.name]] += (run.began_ns - done_ns) / 1e6
        spent[_NETWORK_STAGES[run.name]] += run.milliseconds
        done_ns = run.ended_ns
    spent["placement"] = (times.estimated_ns - done_ns) / 1e6
    end_ns = times.smoothed_ns or times.estimated_ns
    spent["smoothing"] = (end_ns - times.estimated_ns) / 1e6
    spent["total"] = (end_ns - runs[0].began_ns) / 1e6
    networks = ("landmarks", *_NETWORK_STAGES.values())
    spent["outside networks"] = spent["total"] - sum(spent[n] for n in networks)
    return spent


@dataclass
class Measured:
    """One way to find the parts, over all rounds."""

    stages_ms: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in STAGES}
    )
    """Of every frame with somebody in it."""
    frames: int = 0
    seconds: float = 0.0
    """From each round's first measured frame to its last."""

    @property
    def fps(self) -> float:
        """Frames a second of the whole chain, video decoding included."""
        return self.frames / self.seconds if self.seconds else 0.0

    def percentile(self, stage: str, percent: float) -> float:
        """Return a percentile of a stage, milliseconds; 0 of nothing."""
        values = self.stages_ms[stage]
        return float(np.percentile(values, percent)) if values else 0.0


@dataclass(frozen=True)
class ImageResult:
    """What one run of the benchmark measured."""

    setup: str
    """Bundle, engine, threads, machine and its load."""
    measured: Mapping[Attention, Measured]

    def lines(self) -> Iterator[str]:
        """Yield the table, and what it was measured on."""
        yield f"{'ms':18}" + "".join(f"{name:>19}" for name in self.measured)
        yield f"{'':18}" + f"{'median':>11}{'p95':>8}" * len(self.measured)
        for stage in STAGES:
            yield f"{stage:18}" + "".join(
                f"{m.percentile(stage, 50):11.2f}{m.percentile(stage, 95):8.2f}"
                for m in self.measured.values()
            )
        rates = (f"{m.fps:11.2f}{'':8}" for m in self.measured.values())
        yield (f"{'frames a second':18}" + "".join(rates)).rstrip()
        people = (len(m.stages_ms["total"]) for m in self.measured.values())
        yield (
            f"{'frames':18}" + "".join(f"{count:11d}{'':8}" for count in people)
        ).rstrip()
        yield self.setup


def measure_image(
    folder: Path,
    *,
    video: Path | None = None,
    frames: int = 40,
    rounds: int = 2,
    engine: EngineKind = "auto",
    precision: Precision = "auto",
    threads: int = 2,
    warm_up: int = 3,
) -> ImageResult:
    """Run a bundle on a clip in both ways in turns: A B A B.

    Args:
        folder: the bundle's.
        video: a clip; the demo clip if not given. One that ends early is begun again.
        frames: measured in each turn.
        rounds: turns of each.
        engine: what runs the networks; `auto`: the best that is present.
        precision: arithmetic of the engine.
        threads: of each network.
        warm_up: frames of each turn before those that count.

    Raises:
        BundleError, ModelFileError: the bundle cannot be used.
        EngineError, MissingExtraError: the engine cannot.
        SourceError: the clip cannot be read.
        UsageError: a number is below 1.
    """
    if min(frames, rounds, threads, warm_up) < 1:
        raise UsageError(
            "--frames, --rounds, --threads and --warm-up: expected 1 or more"
        )
    bundle = Bundle.open(folder)
    clip = Options(
        bundle=folder,
        video=video,
        demo=video is None,
        loop=True,
        as_fast_as_possible=True,
        engine=engine,
        precision=precision,
    )
    makers = choose_makers(clip, on_images=True, threads=threads)
    clock = Clock()
    measured: dict[Attention, Measured] = {name: Measured() for name in ATTENTIONS}
    with ExitStack() as opened, Bystanders() as bystanders:
        chains = _chains(clip, bundle, makers, clock, opened)
        for _ in range(rounds):
            for attention, chain in chains.items():
                chain.run(measured[attention], frames=frames, warm_up=warm_up)
    described = (f"{name} {said}" for name, said in makers.described.items())
    setup = (
        f"bundle {bundle.manifest.name} in {bundle.manifest.precision}; "
        f"{'; '.join(described)}; {threads} threads; "
        f"{machine()}; {bystanders.text()}"
    )
    return ImageResult(setup, measured)


def _chains(
    clip: Options, bundle: Bundle, makers: Makers, clock: Clock, opened: ExitStack
) -> dict[Attention, "_Chain"]:
    """Open both chains, which share engines and what draws crops."""
    path = bundle.body_model_path
    model = embedded_body_model() if path is None else load_body_model(path)
    engines: dict[str, TimedEngine] = {}
    for name in (name for name in NETWORKS if name in bundle.manifest.networks):
        engine = opened.enter_context(makers.network.open(bundle.path_of(name)))
        engines[name] = TimedEngine(name, engine, clock)
    resampler = open_resampler()
    if isinstance(resampler, WarmingResampler):
        # So that no frame has its crops drawn beside the compiler.
        resampler.wait()
    chains = {}
    for attention in ATTENTIONS:
        options = replace(clip, attention=attention)
        estimator = ImageEstimator(
            bundle, model, attention=attention, engines=engines, resampler=resampler
        )
        rates = tracking_rates(options.part_rates)
        landmarker = TimedLandmarker(
            open_landmarker(options, makers.landmarks, rates), clock
        )
        opened.callback(landmarker.close)
        chains[attention] = _Chain(
            options, landmarker, EyeEstimator(estimator, model), model, clock
        )
    return chains


@dataclass(frozen=True)
class _Chain:
    """The program's chain in one of the two ways, ready to run again and again."""

    options: Options
    landmarker: TimedLandmarker
    estimator: EyeEstimator
    model: BodyModel
    clock: Clock

    def run(self, into: Measured, *, frames: int, warm_up: int) -> None:
        """Run `warm_up` frames and then `frames` that count."""
        self.landmarker.reset()
        self.estimator.reset()
        self.clock.take()
        source = open_source(self.options)
        # Not closed: its parts are used again.
        pipeline = Pipeline(
            source=source,
            landmarker=OnePerson(self.landmarker),
            estimator=self.estimator,
            sinks=(),
            smooth=smoothing(self.model),
        )
        turn = _Turn(into, self.clock, warm_up)
        try:
            pipeline.run(max_frames=warm_up + frames, observe=turn.observe)
        finally:
            source.close()


class _Turn:
    """Sorts what the clock noted into stages, once the warm-up is over."""

    def __init__(self, into: Measured, clock: Clock, warm_up: int) -> None:
        self._into = into
        self._clock = clock
        self._to_skip = warm_up
        self._last_s = 0.0

    def observe(self, progress: Progress) -> None:
        """Take one frame's notes."""
        now_s = time.perf_counter()
        runs = self._clock.take()
        if self._to_skip:
            self._to_skip -= 1
        else:
            self._into.frames += 1
            self._into.seconds += now_s - self._last_s
            for person in progress.tick.people[:1]:
                spent = stage_milliseconds(runs, person.times)
                for name, milliseconds in spent.items():
                    self._into.stages_ms[name].append(milliseconds)
        self._last_s = now_s
