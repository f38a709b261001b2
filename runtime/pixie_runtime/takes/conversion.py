"""From a take to the files of other programs."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from pixie_runtime.errors import UsageError
from pixie_runtime.takes.resampling import resampled, usual_rate
from pixie_runtime.takes.smoothing import smoothed
from pixie_runtime.takes.take import Take

Target = Literal["npz", "bvh", "glb", "usd", "csv"]
TARGETS: tuple[Target, ...] = get_args(Target)
SUFFIXES: Mapping[str, Target] = {
    ".npz": "npz",
    ".bvh": "bvh",
    ".glb": "glb",
    ".usd": "usd",
    ".usda": "usd",
    ".usdc": "usd",
    ".csv": "csv",
}
"""What a file's name asks for."""
