"""ONNX Runtime on an NVIDIA GPU, with CUDA or TensorRT; never on the CPU instead.

Not run on a GPU yet: what is tested is what happens without one.
"""

from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Literal

import onnxruntime

from pixie_runtime.engines.onnxruntime_engine import (
    OnnxRuntimeEngine,
    Provider,
    described,
)
from pixie_runtime.errors import EngineError

GpuLibrary = Literal["cuda", "tensorrt"]

_PROVIDERS: dict[GpuLibrary, str] = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_CUDA: Provider = ("CUDAExecutionProvider", {"use_tf32": "0"})
"""float32 as it says: TF32, its default, keeps 10 bits of each factor."""
_PACKAGE = 'pip install "onnxruntime-gpu[cuda,cudnn]"'


@dataclass(frozen=True, slots=True)
class OnnxRuntimeGpuMaker:
    """Opens networks with ONNX Runtime on a GPU; an `EngineMaker`."""

    library: GpuLibrary
    cache: Path | None = None
    """Existing folder for what TensorRT builds, which ONNX Runtime keys by network and
    GPU; None: it is built anew every time."""

    concurrent = False
    int8 = False

    def __post_init__(self) -> None:
        """Make sure that the installed ONNX Runtime has the library.

        Raises:
            EngineError: It has not: it is the package for CPUs.
        """
        if _PROVIDERS[self.library] not in onnxruntime.get_available_providers():
            raise EngineError(
                f"--engine onnxruntime-{self.library}: the installed ONNX Runtime "
                f"{onnxruntime.__version__} is the one for CPUs; replace it: pip "
                f"uninstall onnxruntime, then {_PACKAGE}"
            )

    @property
    def description(self) -> str:
        """What will run the networks: `ONNX Runtime 1.32.0 on the GPU with CUDA`."""
        return described(_PROVIDERS[self.library])

    def open(
        self, model: Path | bytes, *, threads: int | None = None
    ) -> OnnxRuntimeEngine:
        """Load a network.

        A library that does not load, for want of cuDNN for example, makes ONNX Runtime
        take the CPU with a line on standard error. The session is asked afterwards what
        it runs on, and that is an error here. Single operators that the library lacks
        still run on the CPU, next to the others.

        Raises:
            BundleError: There is no such file, or it is no ONNX model that this
                version of ONNX Runtime can run.
            EngineError: It did not get onto the GPU.
        """
        complaint = _preloaded()
        engine = OnnxRuntimeEngine(
            model, threads=threads or 1, providers=[*self._wanted(), _CUDA]
        )
        wanted = _PROVIDERS[self.library]
        if engine.providers[0] != wanted:
            found = engine.providers[0]
            engine.close()
            because = f" ({complaint})" if complaint else ""
            raise EngineError(
                f"--engine onnxruntime-{self.library}: ONNX Runtime fell back to "
                f"{found} because {wanted} did not load{because}; {self._advice()}, or "
                "use --engine auto"
            )
        return engine

    def _wanted(self) -> list[Provider]:
        if self.library == "cuda":
            return []
        return [("TensorrtExecutionProvider", tensorrt_options(self.cache))]

    def _advice(self) -> str:
        """Return where the libraries come from; pip has no TensorRT of theirs."""
        if self.library == "cuda":
            return f"{_PACKAGE} brings CUDA and cuDNN"
        return (
            f"{_PACKAGE} brings CUDA and cuDNN, TensorRT must be the one that its "
            "release names"
        )


def tensorrt_options(cache: Path | None) -> dict[str, str]:
    """Return the options of ONNX Runtime's TensorRT, which has its own words for yes.

    Args:
        cache: existing folder for what is built; None: nothing is kept.
    """
    if cache is None:
        return {}
    return {
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(cache),
    }


@cache
def _preloaded() -> str:
    """Load the CUDA and cuDNN that pip installed; return what did not load.

    ONNX Runtime finds those only if they are in the process before its first session on
    the GPU (`onnxruntime.preload_dlls`, since 1.21), and prints what it does not find.
    """
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is None:
        return ""
    with redirect_stdout(StringIO()) as said:
        preload()
    return next(iter(said.getvalue().splitlines()), "")
