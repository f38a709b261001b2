"""Which library runs the networks: asked for by name, or the best that is present.

Libraries are imported only when they are chosen: most are extras, and slow to import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.engines.byte_arithmetic import multiplies_bytes
from pixie_runtime.engines.compiled_cache import ready_cache
from pixie_runtime.engines.cuda_driver import gpu_fault
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.engines.tensorrt_cache import shipped_are_built
from pixie_runtime.errors import EngineError, MissingExtraError, PixieError, UsageError
from pixie_runtime.user_cache import user_cache

if TYPE_CHECKING:
    from pixie_runtime.engines.onnxruntime_gpu import GpuLibrary
    from pixie_runtime.engines.openvino_engine import OpenVinoMaker

__all__ = ["Chosen", "EngineKind", "Precision", "Purpose", "choose"]

Purpose = Literal["networks", "landmarks", "places"]
"""`landmarks`: networks of landmarks, which are small. In float32 `auto` leaves
OpenVINO out: it is no faster there, opens later and takes half as much memory again.
`places`: the same where landmarks only say what an image bundle looks at. It has
OpenVINO loaded anyway, and half a pixel in its squares is worth the time: if no
precision is asked for, they are in bfloat16 where the processor has it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The maker that `auto` came to, and why that one; an `EngineMaker`.

    A GPU's engines are built beforehand. Networks for which that was not done are left
    to the best engine that needs no GPU, and the description says so.
    """

    maker: EngineMaker
    reason: str
    """A phrase: `chosen: no GPU`."""
    otherwise: EngineMaker | None = None
    """Opens what `maker` cannot."""
    _refused: list[str] = field(default_factory=list, repr=False)

    @property
    def description(self) -> str:
        """What runs the networks, and why."""
        said = f"{self.maker.description} ({self.reason})"
        if not self._refused or self.otherwise is None:
            return said
        return (
            f"{said}, {len(self._refused)} networks on {self.otherwise.description} "
            f"instead: {self._refused[0]}"
        )

    @property
    def concurrent(self) -> bool:
        """See `EngineMaker.concurrent`."""
        return self.maker.concurrent

    @property
    def int8(self) -> bool:
        """See `EngineMaker.int8`."""
        return self.maker.int8

    def open(self, model: Path | bytes, *, threads: int | None = None) -> Engine:
        """Load a network; see `EngineMaker.open`."""
        try:
            return self.maker.open(model, threads=threads)
        except EngineError as error:
            if self.otherwise is None:
                raise
            self._refused.append(str(error))
            return self.otherwise.open(model, threads=threads)


def choose(
    kind: EngineKind,
    *,
    precision: Precision = "float32",
    threads: int = 2,
    cache: Path | None = None,
    engines: Path | None = None,
    purpose: Purpose = "networks",
) -> EngineMaker:
    """Return what opens networks.

    Args:
        kind: the library; `auto`: the best that is present, and the returned maker's
            description tells why.
        precision: arithmetic on the CPU; bfloat16 is OpenVINO's only. `auto`: float32,
            but for landmarks with ONNX Runtime on a processor that multiplies bytes
            fast, what ships in int8 too, and for places with OpenVINO on one that has
            bfloat16, that.
        threads: cores that one run of a network may use.
        cache: folder for what engines compile; default: the user's cache folder.
        engines: folder of engines that were built beforehand, searched before those
            beside bundles and in the cache.
        purpose: what the networks are for; see `Purpose`.

    Raises:
        MissingExtraError: the library is not installed.
        EngineError: it is, but cannot run here: no GPU, an unfit processor.
        UsageError: the library has no such arithmetic, or no use for `engines`.
    """
    if engines is not None:
        _require_engines(engines, kind)
    if precision == "bfloat16" and kind not in ("auto", "openvino"):
        raise UsageError(
            f"--precision bfloat16 with --engine {kind}: only OpenVINO computes in it "
            "on its own; use --engine openvino, or convert the bundle with "
            "pixie-export precision"
        )
    wanted = _Wanted(precision, threads, cache or user_cache(), engines, purpose)
    if kind == "auto":
        return _best(wanted)
    return _MAKERS[kind](wanted)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What `choose` was asked for, besides the library."""

    precision: Precision
    threads: int
    cache: Path
    engines: Path | None
    purpose: Purpose

    def has_engines(self, kind: str) -> bool:
        """Whether a library that runs only what was built for it has anything."""
        folders = [self.cache / kind, *([self.engines] if self.engines else [])]
        return any(shipped_are_built(folder) for folder in folders)


def _require_engines(engines: Path, kind: EngineKind) -> None:
    if kind not in ("auto", "tensorrt", "tensorrt-rtx"):
        raise UsageError(
            f"--engines {engines} with --engine {kind}: only tensorrt and tensorrt-rtx "
            "run engines that were built beforehand; leave one of the two out"
        )
    if not engines.is_dir():
        raise UsageError(
            f"--engines {engines}: there is no such folder; expected the one that "
            "pixie-export tensorrt or tensorrt-rtx was given with --out"
        )


def _best(wanted: _Wanted) -> EngineMaker:
    """Return the first library of the order that can run here."""
    if wanted.precision == "bfloat16":
        return Chosen(_openvino(wanted), "the one that computes in bfloat16")
    fault = gpu_fault()
    if fault is not None:
        return _best_on_cpu(wanted, ["no GPU"])
    passed_over = []
    for kind in ("tensorrt", "tensorrt-rtx"):
        try:
            maker = _MAKERS[kind](wanted)
        except PixieError as error:
            passed_over.append(_why_not(kind, error))
            continue
        if wanted.has_engines(kind):
            on_cpu = _best_on_cpu(wanted, ["not on the GPU"]).maker
            return Chosen(maker, "chosen: there is a GPU", on_cpu)
        passed_over.append(f"{kind} has no engines (pixie-export {kind} --shipped)")
    return _best_on_cpu(wanted, passed_over)


def _best_on_cpu(wanted: _Wanted, passed_over: list[str]) -> Chosen:
    """Return the best library that needs no GPU, and why none of the others."""
    why_not_openvino = "openvino is no faster for landmarks"
    if wanted.purpose != "landmarks":
        try:
            maker = _openvino(wanted)
        except PixieError as error:
            why_not_openvino = _why_not("openvino", error)
        else:
            if wanted.purpose == "networks" or maker.precision == "bfloat16":
                return Chosen(maker, f"chosen: {', '.join(passed_over)}")
    reasons = [*passed_over, why_not_openvino]
    return Chosen(_onnxruntime(wanted), f"chosen: {', '.join(reasons)}")


def _why_not(kind: str, error: PixieError) -> str:
    if isinstance(error, MissingExtraError):
        return f"{kind} not installed"
    return f"{kind} passed over: {error}"


def _onnxruntime(wanted: _Wanted) -> EngineMaker:
    may = wanted.purpose != "networks" and wanted.precision == "auto"
    return OnnxRuntimeMaker(wanted.threads, int8=may and multiplies_bytes())


def _onnxruntime_cuda(wanted: _Wanted) -> EngineMaker:
    return _onnxruntime_on_gpu("cuda", wanted)


def _onnxruntime_tensorrt(wanted: _Wanted) -> EngineMaker:
    return _onnxruntime_on_gpu("tensorrt", wanted)


def _onnxruntime_on_gpu(library: "GpuLibrary", wanted: _Wanted) -> EngineMaker:
    from pixie_runtime.engines.onnxruntime_gpu import OnnxRuntimeGpuMaker

    _require_gpu(f"onnxruntime-{library}")
    if library == "cuda":
        return OnnxRuntimeGpuMaker(library)
    # ONNX Runtime makes the folder itself, but not those it lies in.
    kept = ready_cache(wanted.cache / "onnxruntime-tensorrt")
    return OnnxRuntimeGpuMaker(library, kept)


def _openvino(wanted: _Wanted) -> "OpenVinoMaker":
    from pixie_runtime.engines.openvino_engine import OpenVinoMaker
    from pixie_runtime.engines.openvino_library import capabilities, version
    from pixie_runtime.engines.openvino_probe import require_survival

    folder = wanted.cache / "openvino"
    # Before the import: on some machines what follows it kills the process.
    require_survival(version(), folder)
    precision = wanted.precision
    if wanted.purpose == "places" and precision == "auto" and "BF16" in capabilities():
        precision = "bfloat16"
    return OpenVinoMaker(precision, wanted.threads, ready_cache(folder))


def _tensorrt(wanted: _Wanted) -> EngineMaker:
    return _on_gpu("tensorrt", "tensorrt_engine", "TensorrtMaker", wanted)


def _tensorrt_rtx(wanted: _Wanted) -> EngineMaker:
    return _on_gpu("tensorrt-rtx", "tensorrt_rtx_engine", "TensorrtRtxMaker", wanted)


def _on_gpu(kind: str, module: str, name: str, wanted: _Wanted) -> EngineMaker:
    """Return a maker of one of NVIDIA's libraries, whose bindings are extras."""
    _require_gpu(kind)
    if find_spec(kind.replace("-", "_")) is None:
        raise MissingExtraError(f"--engine {kind}", kind)
    try:
        made = getattr(import_module(f"pixie_runtime.engines.{module}"), name)
        maker: EngineMaker = made(cache=wanted.cache / kind, engines=wanted.engines)
    except ImportError as error:
        raise EngineError(
            f"--engine {kind}: its packages cannot be loaded here ({error}); install "
            f'them again with pip install "pixie-live[{kind}]", or use --engine auto'
        ) from error
    return maker


def _require_gpu(kind: str) -> None:
    fault = gpu_fault()
    if fault is not None:
        raise EngineError(
            f"--engine {kind} needs an NVIDIA GPU, but {fault}; use --engine auto"
        )


_MAKERS: Mapping[str, Callable[[_Wanted], EngineMaker]] = MappingProxyType(
    {
        "onnxruntime": _onnxruntime,
        "onnxruntime-cuda": _onnxruntime_cuda,
        "onnxruntime-tensorrt": _onnxruntime_tensorrt,
        "openvino": _openvino,
        "tensorrt": _tensorrt,
        "tensorrt-rtx": _tensorrt_rtx,
    }
)
