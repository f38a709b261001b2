"""The program's chain behind clocks: every frame, stage and network on a timeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from pixie_bench.timing import Clock, Run, TimedEngine, TimedLandmarker
from pixie_runtime.assembly import (
    choose_makers,
    open_landmarker,
    open_source,
    smoothing,
)
from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.eye_estimator import EyeEstimator
from pixie_runtime.landmarks import OnePerson
from pixie_runtime.network import open_bundle, open_network
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Pipeline, Progress


@dataclass(frozen=True, slots=True)
class TimedMaker:
    """A maker whose engines note every run under their file's name."""

    maker: EngineMaker
    clock: Clock

    @property
    def description(self) -> str:
        """What will run the networks."""
        return self.maker.description

    @property
    def concurrent(self) -> bool:
        """See `EngineMaker.concurrent`."""
        return self.maker.concurrent

    @property
    def int8(self) -> bool:
        """See `EngineMaker.int8`."""
        return self.maker.int8

    def open(self, model: Path | bytes, *, threads: int | None = None) -> Engine:
        """Load a network; see `EngineMaker.open`."""
        name = model.stem if isinstance(model, Path) else _name_of(model)
        return TimedEngine(name, self.maker.open(model, threads=threads), self.clock)


def _name_of(content: bytes) -> str:
    """Return the name of a landmark model that ships; they are opened as bytes."""
    folder = files("pixie_runtime") / "assets" / "landmarks"
    for entry in folder.iterdir():
        if entry.name.endswith(".onnx") and entry.read_bytes() == content:
            return entry.name.removesuffix(".onnx")
    return "network"


@dataclass
class _Tracks:
    """Collects what happened to frames, once the warm-up is over."""

    networks: Clock
    warm_up: int
    frames: list[Run] = field(default_factory=list)
    stages: list[Run] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def observe(self, progress: Progress) -> None:
        runs = self.networks.take()
        if self.warm_up:
            self.warm_up -= 1
            return
        grabbed_ns = progress.tick.frame.grabbed_ns
        sent_ns = grabbed_ns + round(progress.latency_ms * 1e6)
        self.frames.append(
            Run(f"frame {progress.tick.frame.index}", grabbed_ns, sent_ns)
        )
        self.runs += [run for run in runs if run.name != "landmarks"]
        # A frame waits for the one before; its work begins with its landmarks.
        begins = [run.began_ns for run in runs if run.name == "landmarks"]
        for person in progress.tick.people[:1]:
            times = person.times
            ends = {
                "landmarks": times.landmarks_ns,
                "estimate": times.estimated_ns,
                "smooth": times.smoothed_ns,
                "send": sent_ns,
            }
            began_ns = begins[0] if begins else grabbed_ns
            for name, ended_ns in ends.items():
                if ended_ns:
                    self.stages.append(Run(name, began_ns, ended_ns))
                    began_ns = ended_ns


def timed_pipeline(options: Options, clock: Clock, *, threads: int = 2) -> Pipeline:
    """Return the pipeline that `pixie-live` opens, behind clocks and without sinks.

    Args:
        options: source, bundle and engine.
        clock: notes what runs.
        threads: of each network.

    Raises:
        PixieError: a part cannot be opened.
    """
    bundle = open_bundle(options)
    on_images = bundle.manifest.kind == "image"
    makers = choose_makers(options, on_images=on_images, threads=threads)
    network = open_network(options, TimedMaker(makers.network, clock), bundle=bundle)
    landmarker = open_landmarker(
        options, TimedMaker(makers.landmarks, clock), network.landmark_rates
    )
    return Pipeline(
        source=open_source(options),
        landmarker=OnePerson(TimedLandmarker(landmarker, clock)),
        estimator=EyeEstimator(network.estimator, network.model),
        sinks=(),
        smooth=smoothing(network.model),
        field_of_view=options.fov,
        setup={**network.setup, **makers.described},
    )


def chain_tracks(
    options: Options, *, frames: int = 30, warm_up: int = 10, threads: int = 2
) -> Mapping[str, tuple[Run, ...]]:
    """Run the chain; return what ran, by track.

    Args:
        options: source, bundle and engine.
        frames: to note.
        warm_up: frames before them.
        threads: of each network.

    Raises:
        PixieError: a part cannot be opened.
    """
    clock = Clock()
    tracks = _Tracks(clock, warm_up)
    with timed_pipeline(options, clock, threads=threads) as pipeline:
        pipeline.run(max_frames=warm_up + frames, observe=tracks.observe)
    return {
        "frames, grab to send": tuple(tracks.frames),
        "stages": tuple(tracks.stages),
        "networks": tuple(sorted(tracks.runs, key=lambda run: run.began_ns)),
    }
