"""`pixie-export verify`: a bundle's networks on this machine against what is right."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from pixie_export.graph_files import Announce
from pixie_export.landmark_judge import LandmarkJudge
from pixie_export.progress import progress
from pixie_export.rounded_graph import RoundedMaker
from pixie_export.verification import (
    Limits,
    MeanLimits,
    StageReport,
    Verification,
    table,
)
from pixie_export.verify import verify
from pixie_runtime.bundle import Bundle, Manifest, embedded_bundle
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.engines import EngineMaker
from pixie_runtime.engines.choosing import choose

Say = Callable[[str], None]
_HALVES = ("float16", "bfloat16")


@dataclass(frozen=True)
class VerifyOptions:
    """Compare a bundle's networks on this machine with what they should give.

    Image bundles hold torch's results on pictures of people. Landmark bundles are
    compared with ONNX Runtime on the landmarks of the demo clip. In float32 nothing may
    be off by more than the limits; in fewer bits, by more in the mean than they are
    allowed.
    """

    bundle: tyro.conf.Positional[Path | None] = None
    """The bundle; default: the landmark bundle that ships."""
    engine: EngineKind = "onnxruntime"
    """What runs the networks."""
    engines: Path | None = None
    """Folder of TensorRT's engines, where they were built with --out."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of a float32 bundle, where the engine can choose it."""
    threads: int = 2
    """Cores that the engine may use."""
    degrees: float | None = None
    """Angle between a joint's rotations that is allowed; default: 0.05 at most
    (float32), 0.5 in the mean (float16, bfloat16), 2 in the mean (int8)."""
    millimetres: float | None = None
    """Distance between a vertex' or joint's places that is allowed; default: 0.1 at
    most (float32); in fewer bits it is not asked for."""
    relative: float | None = None
    """float32: difference of a stage's result, fed with the recorded input, over the
    size (root mean square) of that result; default: 0.001."""


def run_verify(options: VerifyOptions, *, say: Say) -> None:
    """Compare, tell both tables, and fail beyond the limits."""
    folder = options.bundle
    bundle = embedded_bundle() if folder is None else Bundle.open(folder)
    maker = comparing_maker(
        bundle.manifest,
        options.engine,
        options.threads,
        options.precision,
        engines=options.engines,
    )
    with progress() as announce:
        found, standard = _compared(bundle, maker, options.threads, announce)
    say(f"{maker.description}, compared with {standard}")
    for line in tables(found):
        say(line)
    allowed = _require(found, bundle.manifest, options)
    say(f"\n{bundle.manifest.name}: within {allowed}")


def _compared(
    bundle: Bundle, maker: EngineMaker, threads: int, announce: Announce
) -> tuple[Verification, str]:
    """Compare a bundle's networks; return with what, in words, too."""
    if bundle.manifest.kind != "landmark":
        found = verify(bundle, open_engine=maker.open, announce=announce)
        return found, "torch in float32"
    announce("looking at the demo clip")
    standard = comparing_maker(bundle.manifest, "onnxruntime", threads)
    judge = LandmarkJudge(bundle, standard=standard, threads=threads)
    return judge.verify(bundle, maker), standard.description


def comparing_maker(
    manifest: Manifest,
    engine: EngineKind,
    threads: int,
    precision: Precision = "float32",
    *,
    engines: Path | None = None,
) -> EngineMaker:
    """Return what opens a bundle's networks for a comparison.

    ONNX Runtime on a CPU would not do a 16-bit network's roundings: it is given them
    one by one. `engines` are those of `choose`.

    Raises:
        PixieError: there is no such engine here, or it has no such arithmetic.
    """
    maker = choose(engine, precision=precision, threads=threads, engines=engines)
    if engine == "onnxruntime" and manifest.precision in _HALVES:
        return RoundedMaker(threads=threads)
    return maker


def tables(found: Verification) -> Iterator[str]:
    """Yield the lines of both tables; a network that is alone has only one."""
    titles: Sequence[tuple[str, Sequence[StageReport]]] = (
        ("Each network on its recorded input:", found.alone),
        ("One after the other:", found.chained),
    )
    if len(found.alone) == 1:
        titles = (("Its one network:", found.alone),)
    for title, reports in titles:
        yield f"\n{title}"
        yield from table(reports)


def _require(found: Verification, manifest: Manifest, options: VerifyOptions) -> str:
    """Refuse what is beyond the limits of the bundle's precision; say what they are."""
    mean, precision = MeanLimits.of(manifest.precision), manifest.precision
    if mean is None and options.precision != "float32":
        mean, precision = MeanLimits.of(options.precision), options.precision
    if mean is None:
        exact = Limits()
        limits = Limits(
            _given(options.degrees, exact.degrees),
            _given(options.millimetres, exact.millimetres),
            _given(options.relative, exact.relative),
        )
        found.require(limits)
        return (
            f"{limits.degrees:g} degrees, {limits.millimetres:g} mm and "
            f"{limits.relative:g} of every result's size"
        )
    allowed = MeanLimits(_given(options.degrees, mean.degrees), options.millimetres)
    found.require_mean(allowed)
    return f"{precision}'s {allowed.degrees:g} degrees in the mean"


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
