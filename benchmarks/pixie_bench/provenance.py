"""Where numbers come from: machine, commit and versions."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from pixie_bench.machine import machine

_PACKAGES = (
    "pixie-live",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "torch",
    "numba",
    "opencv-python-headless",
    "smplx",
    "tensorrt-cu13",
    "tensorrt-rtx",
    "cuda-bindings",
    "cuda-core",
    "pycuda",
)


def versions() -> dict[str, str]:
    """Return Python's version and those of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Return the commit that runs; `unknown` outside of a clone."""
    here = Path(__file__).parent
    head = _said(["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"])
    if not head:
        return "unknown"
    changed = _said(
        ["git", "-C", str(here), "status", "--porcelain", "--untracked-files=no"]
    )
    return f"{head} with changes" if changed else head


def machine_facts() -> dict[str, Any]:
    """Return what this machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return {
        "description": machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.platform(),
        "gpus": _said(asked).splitlines(),
    }


def _said(command: list[str]) -> str:
    """Return what a program prints; nothing if it fails or is not there."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
