"""What every suite is told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pixie_runtime.errors import BundleError, UsageError

Announce = Callable[[str], None]
"""Is told what is measured next."""


def silent(what: str) -> None:
    """Announce nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the suites; their docstrings are the help."""

    bundles: Path | None = None
    """Folder of the bundles to measure, each in a folder of its case's name;
    pixie-bench bundles makes them."""
    body_model: Path | None = None
    """Your own SMPL-X model (.npz) for the case skinning; default: random numbers
    of its size."""
    video: Path | None = None
    """Clip to run on; the demo clip if not given."""
    oracle_python: Path | None = None
    """A Python with mediapipe 0.10.21, numpy and OpenCV to compare with."""
    threads: int = 2
    """Cores for each contender."""
    rounds: int = 8
    """How often all of them take their turns."""
    runs: int = 5
    """Measured in each turn."""
    warm_up: int = 3
    """Unmeasured, before the first turn."""
    seconds: float = 10.0
    """How long the whole program runs in each turn."""
    only: str = ""
    """Run only the cases whose names contain this."""

    def __post_init__(self) -> None:
        if min(self.rounds, self.runs, self.threads) < 1:
            raise UsageError("--rounds, --runs and --threads: expected 1 or more")
        if self.warm_up < 0 or self.seconds <= 0:
            raise UsageError("--warm-up: expected 0 or more, --seconds: more than 0")

    def bundle(self, name: str) -> Path:
        """Return a bundle's folder.

        Raises:
            BundleError: there is none.
        """
        if self.bundles is None:
            raise BundleError(
                f"needs the bundle {name}: make it with pixie-bench bundles DIR and "
                "name the folder with --bundles DIR"
            )
        folder = self.bundles / name
        if not folder.is_dir():
            raise BundleError(
                f"there is no bundle {folder}: make it with pixie-bench bundles "
                f"{self.bundles}"
            )
        return folder
