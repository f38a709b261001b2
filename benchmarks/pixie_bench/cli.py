"""`pixie-bench`: measure the runtime on this machine."""

import dataclasses
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from pixie_runtime import __version__
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.errors import PixieError
from pixie_runtime.threads import leave_the_cores_to_the_networks

app = tyro.extras.SubcommandApp()


@app.command
def live(
    *,
    video: Path | None = None,
    seconds: float = 20.0,
    warm_up: int = 30,
    json: Path | None = None,
) -> int:
    """Run the whole chain on a looped clip: rate, latency by stage, memory over time.

    Args:
        video: Clip to run on; the demo clip if not given.
        seconds: How long to measure.
        warm_up: Frames before the measurement.
        json: Write the numbers to this file too, with all memory samples.
    """
    from pixie_bench.live import measure_live
    from pixie_runtime.report import write_json

    result = measure_live(video=video, seconds=seconds, warm_up=warm_up)
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
    precision: Precision = "float32",
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
    from pixie_runtime.report import write_json

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
) -> int:
    """Compare our landmarker with MediaPipe Holistic: agreement, then speed.

    Args:
        clips: Videos and pictures.
        oracle_python: A Python with mediapipe 0.10.21, numpy and OpenCV.
        rounds: How often each video is run by both, in turns; medians count.
    """
    from pixie_bench.holistic import report

    print("\n".join(report(oracle_python, clips, rounds)))
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
