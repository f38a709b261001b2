"""Cases that need a graphics card, where there may be none."""

from pixie_runtime.engine_kinds import EngineKind
from pixie_runtime.engines import cuda_driver
from pixie_runtime.errors import EngineError

ENGINES: frozenset[EngineKind] = frozenset(
    {"onnxruntime-cuda", "onnxruntime-tensorrt", "tensorrt", "tensorrt-rtx"}
)
"""Those that run on one."""


def require_gpu() -> None:
    """Return where there is one.

    Raises:
        EngineError: no CUDA program can run here.
    """
    fault = cuda_driver.gpu_fault()
    if fault is not None:
        raise EngineError(f"needs an NVIDIA GPU, but {fault}")
