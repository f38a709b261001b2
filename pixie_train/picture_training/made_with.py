"""What a run is computed with: noted in its checkpoints, for whoever repeats it."""

import platform
import subprocess
from pathlib import Path

import cv2
import numpy as np
import torch

from pixie_runtime import __version__
from pixie_train.processes import Processes

_HERE = Path(__file__).parent


def made_with(device: torch.device, processes: Processes, step: int) -> dict[str, str]:
    """Return the versions of everything that computes, from a step on.

    Args:
        device: what the network is computed on.
        processes: who share the run.
        step: the steps that had been done before.
    """
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return {
        "from_step": str(step),
        "pixie-live": __version__,
        "commit": commit() or "not a git checkout",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "system": platform.platform(),
        "device": card or device.type,
        "processes": str(processes.world),
    }


def commit(folder: Path = _HERE) -> str | None:
    """Return the commit of the checkout that code lies in; None: it lies in none.

    It ends in "-dirty" where files of it were changed. An installation inside another
    project's checkout, which does not track it, is none.
    """
    tracked = _git(folder, "ls-files", "--error-unmatch", ".")
    if tracked is None:
        return None
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
