"""Blender, which reads what we wrote, in a process and an environment of its own."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

FOLDER = Path(__file__).parent
PYTHON = FOLDER.parents[2] / ".venv-blender" / "bin" / "python"

needs_blender = pytest.mark.skipif(
    not PYTHON.exists(),
    reason="Blender is not installed (scripts/receivers puts it into .venv-blender)",
)

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Job:
    """A file that Blender shall import, and the frames to look at."""

    file: Path
    frames: Sequence[int]
    fps: int = 60


def run(*command: str | Path, folder: Path = FOLDER) -> None:
    """Run a script, or `-c` and a text, in Blender's Python and in that folder."""
    done = subprocess.run(
        [PYTHON, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def read_by_blender(folder: Path, *jobs: Job) -> list[Arrays]:
    """Return what `read.py` tells of each file; one start of Blender for all."""
    outs = [folder / f"blender{number}.npz" for number in range(len(jobs))]
    described = [
        {
            "file": str(job.file),
            "frames": list(job.frames),
            "fps": job.fps,
            "out": str(out),
        }
        for job, out in zip(jobs, outs, strict=True)
    ]
    (folder / "jobs.json").write_text(json.dumps(described), encoding="utf-8")
    run("read.py", folder / "jobs.json")
    found = []
    for out in outs:
        with np.load(out) as arrays:
            found.append(dict(arrays))
    return found
