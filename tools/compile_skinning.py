"""Compile the skinning kernels for every card, and write down what they use.

    python -m tools.compile_skinning                     with nvcc, no card needed
    python -m tools.compile_skinning --compiler nvrtc    with NVRTC out of wheels
    python -m tools.compile_skinning --check             fails unless up to date

Writes `compiled/` beside skinning.cu: machine code by architecture, PTX for all
others, and resources.txt: registers, barriers and spills of every kernel, with the
source's SHA-256, so that a test can tell when someone forgot to run this.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from pixie_runtime.skinning.kernel_images import (
    ARCHITECTURES,
    COMPILED,
    PTX_ARCHITECTURE,
    SOURCE,
    KernelImage,
)

Compiler = Literal["nvcc", "nvrtc"]

REPORT = COMPILED / "resources.txt"
IMAGES = (
    *(KernelImage("cubin", a) for a in ARCHITECTURES),
    KernelImage("ptx", PTX_ARCHITECTURE),
)
"""Everything that ships."""

_ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers(?:, used (\d+) barriers)?")
_HEADER = f"{'card':8}{'kernel':12}{'registers':>10}{'barriers':>10}{'spills':>8}"


class CompileError(Exception):
    """The compiler is missing or refuses the source."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What one kernel takes of a card, as ptxas says."""

    architecture: str
    kernel: str
    registers: int
    barriers: int
    spill_bytes: int
    """Stored and loaded; anything but 0 is memory traffic that nobody wrote."""

    def line(self) -> str:
        """Return its row of the table."""
        return (
            f"{'sm_' + self.architecture:8}{self.kernel:12}{self.registers:10d}"
            f"{self.barriers:10d}{self.spill_bytes:8d}"
        )


def find_nvcc() -> str:
    """Return the compiler's path; CompileError where there is none."""
    path = shutil.which("nvcc")
    if path is None:
        raise CompileError(
            "nvcc is not on the PATH; install the CUDA toolkit 13 (no card is needed)"
        )
    return path


def compile_image(image: KernelImage, output: Path, compiler: Compiler) -> str:
    """Compile skinning.cu to `output`; return what ptxas said.

    Raises CompileError with the compiler's own words.
    """
    return (_with_nvcc if compiler == "nvcc" else _with_nvrtc)(image, output)


def _with_nvcc(image: KernelImage, output: Path) -> str:
    kind = "sm" if image.kind == "cubin" else "compute"
    done = subprocess.run(
        [
            *(find_nvcc(), f"-{image.kind}", f"-arch={kind}_{image.architecture}"),
            *("-O3", "-std=c++17", "-Xptxas", "-v", "-Werror", "all-warnings"),
            *(SOURCE.name, "-o", str(output)),
        ],
        cwd=SOURCE.parent,  # the file's own path stays out of what is written
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CompileError(f"nvcc refuses {SOURCE.name}: {done.stderr.strip()}")
    return done.stderr


def _with_nvrtc(image: KernelImage, output: Path) -> str:
    try:
        from cuda.bindings import nvrtc

        nvrtc.nvrtcVersion()
    # Without the wheel that has the library the first call fails, as a RuntimeError.
    except (ModuleNotFoundError, RuntimeError):
        raise CompileError(
            "NVRTC is not installed: pip install cuda-bindings nvidia-cuda-nvrtc"
        ) from None
    kind = "sm" if image.kind == "cubin" else "compute"
    options = [f"--gpu-architecture={kind}_{image.architecture}".encode()]
    options += [b"--std=c++17", b"--ptxas-options=-v"]
    _, program = nvrtc.nvrtcCreateProgram(
        SOURCE.read_bytes(), SOURCE.name.encode(), 0, [], []
    )
    (failed,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    said = _nvrtc_bytes(nvrtc, program, "ProgramLog").decode().strip("\0")
    if failed:
        raise CompileError(f"NVRTC refuses {SOURCE.name}: {said or failed.name}")
    output.write_bytes(_nvrtc_bytes(nvrtc, program, image.kind.upper()))
    return said if image.kind == "cubin" else ""


def _nvrtc_bytes(nvrtc: Any, program: Any, what: str) -> bytes:
    _, size = getattr(nvrtc, f"nvrtcGet{what}Size")(program)
    content: bytes = b"\0" * size
    getattr(nvrtc, f"nvrtcGet{what}")(program, content)
    return content


def resources(ptxas: str) -> list[Resources]:
    """Return what ptxas's report (`-Xptxas -v`) says of each kernel, by name."""
    found = []
    for part in re.split(r"(?=Compiling entry function)", ptxas)[1:]:
        entry, spills, used = (p.search(part) for p in (_ENTRY, _SPILLS, _USED))
        if entry is None or spills is None or used is None:
            raise CompileError(f"ptxas reports in an unknown form: {part!r}")
        found.append(
            Resources(
                architecture=entry[2],
                kernel=entry[1],
                registers=int(used[1]),
                barriers=int(used[2] or 0),
                spill_bytes=int(spills[1]) + int(spills[2]),
            )
        )
    return sorted(found, key=lambda r: r.kernel)


def report(rows: list[Resources], compiler: str) -> str:
    """Return the text of resources.txt."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    lines = [
        f"{SOURCE.name} sha256 {digest}",
        compiler,
        "",
        _HEADER,
        *(row.line() for row in rows),
    ]
    return "\n".join(lines) + "\n"


def compiler_version(compiler: Compiler) -> str:
    """Return the compiler's own name for itself: `nvcc 13.0 (V13.0.88)`."""
    if compiler == "nvrtc":
        from importlib.metadata import version

        return f"NVRTC {version('nvidia-cuda-nvrtc')}"
    done = subprocess.run(
        [find_nvcc(), "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"release (\S+), (\S+)", done.stdout)
    return f"nvcc {found[1]} ({found[2]})" if found else "nvcc"


def is_current() -> bool:
    """Whether what is in the tree was made of this source."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    return (
        REPORT.exists()
        and digest in REPORT.read_text(encoding="utf-8")
        and all(image.path.exists() for image in IMAGES)
    )


def main(*, compiler: Compiler = "nvcc", check: bool = False) -> int:
    """Compile the skinning kernels for every card.

    Args:
        compiler: nvcc of the CUDA toolkit, or NVRTC.
        check: Only say whether the tree's files belong to the source.
    """
    if check:
        print("up to date" if is_current() else "out of date: compile again")
        return 0 if is_current() else 1
    rows = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            COMPILED.mkdir(exist_ok=True)
            for image in IMAGES:
                output = Path(folder) / image.path.name
                rows += resources(compile_image(image, output, compiler))
                shutil.copyfile(output, image.path)
                print(f"{image.path.name}: {output.stat().st_size} bytes")
        spilling = [row for row in rows if row.spill_bytes]
        REPORT.write_text(report(rows, compiler_version(compiler)), encoding="utf-8")
    except CompileError as error:
        print(f"compile_skinning: {error}", file=sys.stderr)
        return 1
    print(REPORT.read_text(encoding="utf-8"))
    return 1 if spilling else 0


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
