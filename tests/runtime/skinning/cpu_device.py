"""A `Device` that runs skinning.cu on the processor, compiled by g++ on the spot."""

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixie_runtime import skinning
from pixie_runtime.skinning import dlpack
from pixie_runtime.skinning.device import AnyArray, Argument
from pixie_runtime.skinning.plan import Launch

HERE = Path(__file__).parent
SOURCE = Path(skinning.__file__).parent / "skinning.cu"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")

COMPILER = shutil.which("g++")
POISON = 0xFF
"""Fills all memory: NaN as float32, -1 as an integer."""


def compiled(folder: Path, *options: str) -> Path:
    """Compile the kernels for the processor; return the library."""
    assert COMPILER is not None
    library = folder / "kernels.so"
    subprocess.run(
        [
            *(
                COMPILER,
                "-std=c++17",
                "-O1",
                "-shared",
                "-fPIC",
                "-Wno-unknown-pragmas",
            ),
            *("-Wall", "-Wextra", "-Werror", *options),
            *(f"-I{SOURCE.parent}", str(HERE / "cpu_kernels.cc"), "-o", str(library)),
        ],
        check=True,
    )
    return library


class CpuDevice:
    """The processor behind the seam of a card; its memory starts as NaN."""

    description = "the processor"
    dlpack_device = (dlpack.CPU, 0)
    stream = 0

    def __init__(self, library: Path, *, backwards: bool = False) -> None:
        self._launch = ctypes.CDLL(str(library)).launch
        self._backwards = backwards
        self._memory: dict[int, npt.NDArray[np.uint8]] = {}
        self.launched: list[str] = []

    def allocate(self, nbytes: int) -> int:
        memory = np.full(nbytes, POISON, np.uint8)
        self._memory[memory.ctypes.data] = memory
        return memory.ctypes.data

    def upload(self, address: int, array: AnyArray) -> None:
        assert array.flags.c_contiguous
        assert array.nbytes <= len(self._memory[address])
        ctypes.memmove(address, array.ctypes.data, array.nbytes)

    def download(self, address: int, array: AnyArray) -> None:
        assert array.nbytes <= len(self._memory[address])
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def launch(self, launch: Launch, arguments: Sequence[Argument]) -> None:
        pointers = (ctypes.c_void_p * len(arguments))(
            *(ctypes.addressof(a) for a in arguments)
        )
        code = self._launch(
            launch.kernel.encode(),
            (ctypes.c_uint * 3)(*launch.grid),
            (ctypes.c_uint * 3)(*launch.block),
            ctypes.c_uint(launch.shared_bytes),
            pointers,
            int(self._backwards),
        )
        if code:
            raise RuntimeError(
                {1: "no such kernel", 2: "threads wait at different barriers"}[code]
            )
        self.launched.append(launch.kernel)

    def synchronise(self) -> None:
        pass

    def close(self) -> None:
        self._memory.clear()
