"""`pixie-bench`: measure the runtime on this machine."""

import dataclasses
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from pixie_runtime import __version__
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
