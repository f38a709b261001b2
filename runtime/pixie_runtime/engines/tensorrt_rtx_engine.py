"""TensorRT-RTX behind the `Engine` Protocol.

Its engines are built ahead of time on any machine, for several kinds of GPU at once, by
`pixie-export tensorrt-rtx`. On the user's GPU kernels are compiled the first time they
are needed; they are kept beside the engines, so that the next start is quick. Not run
on a GPU yet.
"""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, cast

from pixie_runtime.engines.tensorrt_api import (
    ICudaEngine,
    IExecutionContext,
    RtxCudaEngine,
    RtxRuntimeCache,
    RtxTensorrt,
)
from pixie_runtime.engines.tensorrt_engine import TensorrtMaker
from pixie_runtime.engines.tensorrt_library import Library, LibraryKind
from pixie_runtime.engines.whole_files import write_whole


class RtxContexts:
    """Contexts whose kernels are compiled for their size at once, and kept.

    By default TensorRT-RTX compiles kernels for a size in the background and goes on
    with general ones; a CUDA graph recorded meanwhile would keep those for ever.
    """

    def __init__(self, library: Library, kernels: Path) -> None:
        """Use the kernels of an earlier run, if `kernels` is such a file."""
        self._module = cast(RtxTensorrt, library.module)
        self._path = kernels
        self._cache: RtxRuntimeCache | None = None

    def make(self, engine: ICudaEngine) -> IExecutionContext | None:
        """Return a new context, None if the library refuses."""
        rtx = cast(RtxCudaEngine, engine)
        config = rtx.create_runtime_config()
        strategies = self._module.DynamicShapesKernelSpecializationStrategy
        config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        if self._cache is None:
            self._cache = config.create_runtime_cache()
            # What another driver or GPU left is refused, and compiled again; so is
            # what cannot be read.
            with suppress(OSError):
                self._cache.deserialize(self._path.read_bytes())
        config.set_runtime_cache(self._cache)
        return rtx.create_execution_context(config)

    def close(self) -> None:
        """Keep the kernels for the next start; where that cannot be, go without."""
        if self._cache is None:
            return
        content = bytes(self._cache.serialize())
        self._cache = None
        with suppress(OSError):
            write_whole(self._path, content)


class TensorrtRtxMaker(TensorrtMaker):
    """Opens networks whose engines were built with TensorRT-RTX for this kind of GPU.

    `cache` holds kernels, too.
    """

    kind: ClassVar[LibraryKind] = "tensorrt-rtx"

    def _contexts(self, plan: bytes) -> RtxContexts:
        """Return contexts that keep their kernels under the engine's hash."""
        name = hashlib.sha256(plan).hexdigest()[:16]
        target = self.device.gpu.target
        return RtxContexts(self.library, self.cache / f"{name}_{target}.kernels")
