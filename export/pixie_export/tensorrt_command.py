"""`pixie-export tensorrt` and `pixie-export tensorrt-rtx`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pixie_export.progress import progress
from pixie_export.tensorrt_bundle import (
    BuiltEngine,
    Job,
    Target,
    build_engines,
    bundle_jobs,
    rtx_target,
    shipped_jobs,
)
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines.tensorrt_cache import beside, is_shipped, user_engines
from pixie_runtime.engines.tensorrt_cuda import CudaDevice
from pixie_runtime.engines.tensorrt_library import Library, LibraryKind, load_library
from pixie_runtime.errors import UsageError

Say = Callable[[str], None]


@dataclass(frozen=True)
class TensorrtOptions:
    """Build TensorRT engines for this machine's GPU."""

    bundle: tyro.conf.Positional[Path | None] = None
    """The bundle whose networks are to run on the GPU."""
    shipped: bool = False
    """Build for the networks that ship with the package: landmarks, and the body from
    them."""
    out: Path | None = None
    """Folder of engines; default: BUNDLE.engines beside the bundle, and for what ships
    the user's cache. pixie-live looks in those two, elsewhere with --engines."""


@dataclass(frozen=True)
class TensorrtRtxOptions:
    """Build TensorRT-RTX engines, for several kinds of GPU, on any machine."""

    bundle: tyro.conf.Positional[Path | None] = None
    """The bundle whose networks are to run on the GPU."""
    targets: Annotated[str, tyro.conf.arg(name="for")] = "sm86,sm89,sm120"
    """Compute capabilities: sm86 is RTX 30, sm89 RTX 40, sm120 RTX 50."""
    shipped: bool = False
    """Build for the networks that ship with the package: landmarks, and the body from
    them."""
    out: Path | None = None
    """Folder of engines; default: BUNDLE.engines beside the bundle, and for what ships
    the user's cache. pixie-live looks in those two, elsewhere with --engines."""


def run_tensorrt(options: TensorrtOptions, say: Say) -> None:
    """Build for this machine's GPU; every line goes to `say`."""
    plans = _plans("tensorrt", options.bundle, options.shipped, options.out)
    library = load_library("tensorrt")
    device = CudaDevice()
    gpu = device.gpu
    device.close()
    _run(library, plans, Target((gpu.target,), gpu), f"for {gpu}", say)


def run_tensorrt_rtx(options: TensorrtRtxOptions, say: Say) -> None:
    """Build for the GPUs that were named; every line goes to `say`."""
    plans = _plans("tensorrt-rtx", options.bundle, options.shipped, options.out)
    library = load_library("tensorrt-rtx")
    target = rtx_target(library, options.targets.split(","))
    shown = "for " + ", ".join(target.capabilities).upper()
    _run(library, plans, target, shown, say)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Networks, and the folder that their engines go to."""

    jobs: tuple[Job, ...]
    folder: Path


def _plans(
    kind: LibraryKind, bundle: Path | None, shipped: bool, out: Path | None
) -> list[_Plan]:
    if bundle is None and not shipped:
        raise UsageError(
            f"pixie-export {kind}: nothing to build; give a bundle, or --shipped for "
            "the networks of the package"
        )
    plans = []
    if bundle is not None:
        opened = Bundle.open(bundle)
        usual = user_engines(kind) if is_shipped(bundle) else beside(bundle)
        plans.append(_Plan(bundle_jobs(opened), out or usual))
    if shipped:
        plans.append(_Plan(shipped_jobs(), out or user_engines(kind)))
    return plans


def _run(
    library: Library, plans: Iterable[_Plan], target: Target, shown: str, say: Say
) -> None:
    say(f"{library.title}, {shown}")
    for plan in plans:
        done: list[BuiltEngine] = []
        with progress() as announce:
            for engine in build_engines(
                library, plan.jobs, target, plan.folder, announce=announce
            ):
                done.append(engine)
        for engine in done:
            took = f"{engine.seconds:7.1f} s" if engine.seconds else "was there"
            say(f"{engine.name:<28}{engine.n_bytes / 1e6:>9.1f} MB {took:>10}")
        total = sum(engine.n_bytes for engine in done) / 1e6
        say(f"engines: {plan.folder} ({total:.0f} MB in {len(done)} files)")
