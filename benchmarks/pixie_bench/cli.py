"""`pixie-bench`: measure the runtime on this machine."""

import dataclasses
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from pixie_bench.settings import Settings
from pixie_bench.suites import SUITES, Pictures, SuiteName, run_suites
from pixie_runtime import __version__
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.errors import PixieError, SinkError
from pixie_runtime.threads import leave_the_cores_to_the_networks

app = tyro.extras.SubcommandApp()


@dataclasses.dataclass(frozen=True, slots=True)
class Outputs:
    """Files of a run."""

    json: Path | None = None
    """Write machine, commit, versions and all numbers to this file."""
    markdown: Path | None = None
    """Write the table to this file too."""
    compare: Path | None = None
    """Show how an older run's --json file differs."""
    roofline: Path | None = None
    """Draw the networks under the machine's measured roofs (.png); suite engines."""
    trace: Path | None = None
    """Write a timeline for Perfetto or chrome://tracing (.json); suite chain."""


_Settings = Annotated[Settings, tyro.conf.OmitArgPrefixes]
_Outputs = Annotated[Outputs, tyro.conf.OmitArgPrefixes]


def _measure(names: Sequence[SuiteName], settings: Settings, outputs: Outputs) -> int:
    """Run suites; print and write what they find."""
    from pixie_bench.preflight import require_readable, require_writable
    from pixie_bench.results import Report, compared
    from pixie_runtime.report import write_json

    require_readable(settings)
    require_writable(outputs.json, outputs.markdown, outputs.roofline, outputs.trace)
    old = None if outputs.compare is None else Report.read(outputs.compare)
    report = run_suites(
        names,
        settings,
        Pictures(roofline=outputs.roofline, trace=outputs.trace),
        announce=lambda text: print(text, file=sys.stderr),
    )
    text = "\n".join(report.markdown()) + "\n"
    print(text)
    if old is not None:
        print("\n".join(compared(old.results, report.results)))
    if outputs.json is not None:
        write_json(outputs.json, report.as_dict())
    if outputs.markdown is not None:
        try:
            outputs.markdown.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SinkError(
                f"cannot write {outputs.markdown}: {error.strerror}"
            ) from error
    return 0


@app.command
def engines(settings: _Settings, outputs: _Outputs) -> int:
    """Run networks on known crops in turns with eager PyTorch; the machine's roofs."""
    return _measure(("engines",), settings, outputs)


@app.command
def chain(settings: _Settings, outputs: _Outputs) -> int:
    """Run the whole program on a clip: rate, latency, first frame, memory, timeline."""
    return _measure(("chain",), settings, outputs)


@app.command
def skinning(settings: _Settings, outputs: _Outputs) -> int:
    """Make meshes out of parameters in turns with the smplx package."""
    return _measure(("skinning",), settings, outputs)


@app.command
def landmarks(settings: _Settings, outputs: _Outputs) -> int:
    """Run the landmark chain in turns with MediaPipe Holistic."""
    return _measure(("landmarks",), settings, outputs)


@app.command
def outputs(settings: _Settings, outputs: _Outputs) -> int:
    """Pass people on to every kind of sink."""
    return _measure(("outputs",), settings, outputs)


@app.command(name="all")
def everything(settings: _Settings, outputs: _Outputs) -> int:
    """Run all of the above; what cannot run here is left out with a sentence."""
    return _measure(SUITES, settings, outputs)


@app.command
def bundles(folder: tyro.conf.Positional[Path], *, only: str = "") -> int:
    """Make the bundles that engines and chain measure, with random weights.

    Args:
        folder: Gets a folder for each; those that are there stay.
        only: Make those whose names contain this, and what they are made of.
    """
    from pixie_bench.bundles import make_bundles

    make_bundles(folder, only, print)
    return 0


@app.command
def live(
    *,
    video: Path | None = None,
    bundle: Path | None = None,
    engine: EngineKind = "auto",
    precision: Precision = "auto",
    rates: str | None = None,
    seconds: float = 20.0,
    warm_up: int = 30,
    json: Path | None = None,
) -> int:
    """Run the whole chain on a looped clip: rate, latency by stage, memory over time.

    Args:
        video: Clip to run on; the demo clip if not given.
        bundle: Network to run; the one that ships if not given.
        engine: What runs the networks; auto: the best that is present.
        precision: Arithmetic of the engine.
        rates: How often each part is looked at, as in pixie-live.
        seconds: How long to measure.
        warm_up: Frames before the measurement.
        json: Write the numbers to this file too, with all memory samples.
    """
    from pixie_bench.live import measure_live
    from pixie_bench.preflight import require_writable
    from pixie_runtime.report import write_json

    require_writable(json)
    result = measure_live(
        video=video,
        bundle=bundle,
        engine=engine,
        precision=precision,
        rates=rates,
        seconds=seconds,
        warm_up=warm_up,
    )
    print("\n".join(result.lines()))
    if json is not None:
        machine = {
            "version": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
        }
        write_json(json, {**machine, **dataclasses.asdict(result)})
    return 0


@app.command
def image(
    bundle: tyro.conf.Positional[Path],
    *,
    video: Path | None = None,
    frames: int = 40,
    rounds: int = 2,
    engine: EngineKind = "auto",
    precision: Precision = "auto",
    threads: int = 2,
    warm_up: int = 3,
    json: Path | None = None,
) -> int:
    """Run an image bundle on a clip: time of every stage, tracked and two-pass.

    Args:
        bundle: Folder of the bundle.
        video: Clip to run on; the demo clip if not given.
        frames: Measured in each turn.
        rounds: Turns of each of the two, which alternate.
        engine: What runs the networks; auto: the best that is present.
        precision: Arithmetic of the engine.
        threads: Of each network.
        warm_up: Frames of each turn before those that count.
        json: Write every frame's numbers to this file too.
    """
    from pixie_bench.image import measure_image
    from pixie_bench.preflight import require_writable
    from pixie_runtime.report import write_json

    require_writable(json)
    result = measure_image(
        bundle,
        video=video,
        frames=frames,
        rounds=rounds,
        engine=engine,
        precision=precision,
        threads=threads,
        warm_up=warm_up,
    )
    print("\n".join(result.lines()))
    if json is not None:
        write_json(json, {"version": __version__, **dataclasses.asdict(result)})
    return 0


@app.command
def eager(
    bundle: tyro.conf.Positional[Path],
    checkpoint: tyro.conf.Positional[Path],
    *,
    rounds: int = 12,
    engine: EngineKind = "auto",
    precision: Precision = "float32",
    threads: int = 2,
) -> int:
    """Compare a bundle's speed with its checkpoint's in eager PyTorch.

    Args:
        bundle: Folder that pixie-export official wrote.
        checkpoint: The pixie_model.tar that it was made of.
        rounds: How often each is run, in turns.
        engine: What runs the bundle; auto: the best that is present.
        precision: Arithmetic of the engine.
        threads: Of the engine and of PyTorch.
    """
    from pixie_bench.eager import measure_eager

    result = measure_eager(
        bundle,
        checkpoint,
        rounds=rounds,
        engine=engine,
        precision=precision,
        threads=threads,
    )
    print("\n".join(result.lines()))
    return 0


@app.command
def holistic(
    clips: tyro.conf.Positional[tuple[Path, ...]],
    *,
    oracle_python: Path,
    rounds: int = 2,
    precision: Precision = "auto",
) -> int:
    """Compare our landmarker with MediaPipe Holistic: agreement, then speed.

    Args:
        clips: Videos and pictures.
        oracle_python: A Python with mediapipe 0.10.21, numpy and OpenCV.
        rounds: How often each video is run by both, in turns; medians count.
        precision: Arithmetic of our networks.
    """
    from pixie_bench.holistic import report

    print("\n".join(report(oracle_python, clips, rounds, precision)))
    return 0


def main(args: Sequence[str] | None = None) -> int:
    """Run the command with `args`, or with the process's own; return its exit code."""
    leave_the_cores_to_the_networks()
    try:
        code: int = app.cli(prog="pixie-bench", args=args)
    except PixieError as error:
        print(f"pixie-bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return code
