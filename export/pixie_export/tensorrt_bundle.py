"""Engines for all networks of a bundle, or of the package, into a folder of engines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from time import perf_counter

from pixie_export.graph_files import Announce, silent
from pixie_export.tensorrt_building import build_plan, known_targets
from pixie_runtime.bundle import Bundle, embedded_bundle
from pixie_runtime.engines.tensorrt_cache import model_hash
from pixie_runtime.engines.tensorrt_device import Gpu
from pixie_runtime.engines.tensorrt_file import (
    EngineRecord,
    read_plan,
    read_record,
    write_engine,
)
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.errors import EngineError, UsageError
from pixie_runtime.landmarks.models import NAMES


@dataclass(frozen=True, slots=True)
class Job:
    """A network to build an engine for."""

    name: str
    """Its file's name without suffix."""
    model: Path | bytes
    """Its ONNX file; the content, where the runtime knows no more than that."""


@dataclass(frozen=True, slots=True)
class BuiltEngine:
    """An engine that is there now."""

    name: str
    path: Path
    n_bytes: int
    seconds: float
    """That building took; 0 if it was there before."""


@dataclass(frozen=True, slots=True)
class Target:
    """What engines are built for."""

    capabilities: tuple[str, ...]
    gpu: Gpu | None = None
    """The GPU of this machine, whose measurements are in the engine; None: none."""


def bundle_jobs(bundle: Bundle) -> tuple[Job, ...]:
    """Return every network of a bundle."""
    paths = (bundle.path_of(name) for name in bundle.manifest.networks)
    return tuple(Job(path.stem, path) for path in paths)


def shipped_jobs() -> tuple[Job, ...]:
    """Return the networks that ship with the package: landmarks, and from them a body.

    Landmark models are known to the runtime by their content alone.
    """
    folder = Path(str(files("pixie_runtime") / "assets" / "landmarks"))
    landmarks = (Job(name, (folder / f"{name}.onnx").read_bytes()) for name in NAMES)
    return (*landmarks, *bundle_jobs(embedded_bundle()))


def rtx_target(library: Library, wanted: Sequence[str]) -> Target:
    """Return what the user named, checked against what the library knows.

    Raises:
        UsageError: a name that the library does not know, or none at all.
    """
    known = known_targets(library)
    named = tuple(dict.fromkeys(word.strip().lower() for word in wanted))
    unknown = [name for name in named if name not in known]
    if unknown or not named:
        raise UsageError(
            f"--for {','.join(wanted)}: {library.title} builds for {', '.join(known)}, "
            f"not for {', '.join(unknown) or 'nothing'}; for another GPU build on its "
            "own machine with pixie-export tensorrt"
        )
    return Target(named)


def build_engines(
    library: Library,
    jobs: Sequence[Job],
    target: Target,
    folder: Path,
    *,
    announce: Announce = silent,
) -> Iterator[BuiltEngine]:
    """Build what is not there yet, one network at a time.

    Args:
        library: what builds.
        jobs: the networks.
        target: what for.
        folder: where engines go.
        announce: called with "building NAME" before each.

    Raises:
        BundleError: a network's file is unusable.
        EngineError: the library cannot build a network, or the folder is not to be
            written.
    """
    for job in jobs:
        record = _record(library, job, target)
        path = folder / record.file_name
        if _is_there(path, record):
            yield BuiltEngine(job.name, path, path.stat().st_size, 0.0)
            continue
        announce(f"building {job.name}")
        begun = perf_counter()
        aimed = () if target.gpu else target.capabilities
        timing = folder / _timing_name(library, target.gpu) if target.gpu else None
        plan = build_plan(library, job.name, job.model, targets=aimed, timing=timing)
        written = write_engine(folder, record, plan)
        yield BuiltEngine(job.name, written, len(plan), perf_counter() - begun)


def _record(library: Library, job: Job, target: Target) -> EngineRecord:
    gpu = target.gpu
    return EngineRecord(
        network=job.name,
        model_sha256=model_hash(job.model),
        library=library.kind,
        version=library.version,
        targets=target.capabilities,
        gpu=gpu.name if gpu else "",
        driver=gpu.driver if gpu else "",
    )


def _is_there(path: Path, record: EngineRecord) -> bool:
    if read_record(path) != record:
        return False
    try:
        read_plan(path, "")
    except EngineError:
        return False
    return True


def _timing_name(library: Library, gpu: Gpu) -> str:
    words = "".join(c if c.isalnum() else "-" for c in gpu.name)
    return f"timing_{words}_{gpu.target}_{library.version}.cache"
