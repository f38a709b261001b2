"""The compiled kernels that ship with the package, and which one a card takes.

Made by `python -m tools.compile_skinning`; their resources are in
compiled/resources.txt.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixie_runtime.errors import EngineError

ARCHITECTURES = ("75", "86", "89", "90", "120")
"""Compute capabilities with machine code of their own; others compile the PTX."""
PTX_ARCHITECTURE = "75"
"""The oldest that the PTX runs on, and all later ones do."""
SOURCE = Path(__file__).parent / "skinning.cu"
COMPILED = Path(__file__).parent / "compiled"


@dataclass(frozen=True, slots=True)
class KernelImage:
    """One compiled form of skinning.cu."""

    kind: Literal["cubin", "ptx"]
    architecture: str
    """`89` is compute capability 8.9."""

    @property
    def path(self) -> Path:
        """Its file."""
        return COMPILED / f"skinning.sm_{self.architecture}.{self.kind}"

    def read(self) -> bytes:
        """Return its bytes; EngineError where the package lacks the file."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise EngineError(
                f"cannot read the CUDA kernels {self.path}: {error.strerror}; expected "
                "them in the package, so install it again or run "
                "python -m tools.compile_skinning"
            ) from error


def image_for(major: int, minor: int, card: str) -> KernelImage:
    """Return what a card of this compute capability runs.

    Machine code runs on its own and on later minor versions of the same major one (CUDA
    C++ Programming Guide, binary compatibility); other cards' drivers compile the PTX.

    Args:
        major: Of the compute capability.
        minor: Likewise.
        card: Its name, for the error.

    Raises:
        EngineError: The card is too old.
    """
    if (major, minor) < _split(PTX_ARCHITECTURE):
        raise EngineError(
            f"{card} has compute capability {major}.{minor}, but the kernels need "
            "7.5 (Turing, 2018) or later; meshes on the processor need no card"
        )
    fitting = [a for a in ARCHITECTURES if _split(a)[0] == major]
    fitting = [a for a in fitting if _split(a)[1] <= minor]
    if fitting:
        return KernelImage("cubin", max(fitting, key=_split))
    return KernelImage("ptx", PTX_ARCHITECTURE)


def _split(architecture: str) -> tuple[int, int]:
    return int(architecture[:-1]), int(architecture[-1])
