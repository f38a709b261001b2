"""`pixie-export precision`: a bundle in fewer bits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pixie_export.bundle_folder import require_free
from pixie_export.calibration_crops import calibration_crops
from pixie_export.converters import HalfConverter, Int8Converter
from pixie_export.graph_files import Announce
from pixie_export.half_graph import Half
from pixie_export.judging import ImageJudge
from pixie_export.landmark_judge import LandmarkJudge
from pixie_export.precision_bundle import (
    Converter,
    PrecisionReport,
    Target,
    is_untrained,
    require_float32,
    write_precision_bundle,
)
from pixie_export.progress import progress
from pixie_export.verification import MeanLimits, Verification
from pixie_export.verify import verify
from pixie_export.verify_command import Say, comparing_maker, tables
from pixie_runtime.bundle import Bundle
from pixie_runtime.engine_kinds import EngineKind
from pixie_runtime.errors import UsageError

_HALVES: dict[Target, Half] = {"fp16": "float16", "bf16": "bfloat16"}
_DEGREES: dict[Target, float] = {"fp16": 0.5, "bf16": 0.5, "int8": 2.0}


@dataclass(frozen=True)
class PrecisionOptions:
    """Make a bundle of fewer bits out of a float32 bundle."""

    bundle: tyro.conf.Positional[Path]
    """The bundle to convert; it stays as it is."""
    to: Target
    """fp16 and bf16 are for GPUs (and OpenVINO), int8 for both kinds of machines."""
    out: Path
    """Folder to write the new bundle to; an older bundle there is replaced."""
    calibrate: str | None = None
    """int8: footage to calibrate on: a folder of pictures, a video, or `demo`."""
    pictures: int = 48
    """int8: how many pictures of it to look at."""
    dialect: Annotated[Literal["cpu", "tensorrt"], tyro.conf.arg(name="for")] = "cpu"
    """int8: for ONNX Runtime and OpenVINO, or for TensorRT and TensorRT-RTX."""
    max_degrees: float | None = None
    """Mean joint angle that the conversion may cost; default: 0.5, with int8 2."""
    max_millimetres: float | None = None
    """Mean distance of vertices that it may cost; default: any."""
    engine: EngineKind = "onnxruntime"
    """What runs the new bundle for the comparison."""
    threads: int = 2
    """Cores to use."""


def run_precision(options: PrecisionOptions, *, say: Say) -> None:
    """Convert, and tell what stayed float32, what it cost and what is next."""
    with progress() as announce:
        report = convert(options, announce)
    for stage, names in report.kept.items():
        say(f"float32 in {stage}: {names}")
    for line in tables(report.verification):
        say(line)
    if report.excess is not None:
        say(
            f"\nnote: {report.excess}; the networks are untrained, so that it was "
            "written all the same"
        )
    total = sum(report.file_sizes.values()) / 1e6
    say(f"\nbundle: {report.folder} ({total:.0f} MB)")


def convert(options: PrecisionOptions, announce: Announce) -> PrecisionReport:
    """Convert a bundle as the options say.

    Raises:
        UsageError: options that do not fit together.
        BundleError: the bundle cannot be converted, or would lose too much.
        SourceError: the calibration footage cannot be used.
    """
    if options.to == "int8" and options.calibrate is None:
        raise UsageError(
            "int8 needs pictures to calibrate on: give --calibrate with a folder of "
            "pictures of people, a video, or demo"
        )
    if options.to != "int8" and options.calibrate is not None:
        raise UsageError(f"--calibrate: only int8 is calibrated, not {options.to}")
    limits = _limits(options)
    require_free(options.out)
    bundle = Bundle.open(options.bundle)
    require_float32(bundle)
    if bundle.manifest.kind == "landmark":
        return _convert_landmark(options, bundle, limits, announce)
    with ImageJudge(bundle, threads=options.threads) as judge:
        return write_precision_bundle(
            bundle,
            _converter(options, bundle, judge, limits, announce),
            lambda bundle: _verify(options, bundle, announce),
            limits,
            options.out,
            announce=announce,
        )


def _limits(options: PrecisionOptions) -> MeanLimits:
    for name, value in (
        ("degrees", options.max_degrees),
        ("millimetres", options.max_millimetres),
    ):
        if value is not None and not value > 0:
            raise UsageError(
                f"--max-{name} {value:g}: expected more than 0, since fewer bits "
                "always cost something; leave it out for the default"
            )
    degrees = options.max_degrees
    return MeanLimits(
        _DEGREES[options.to] if degrees is None else degrees, options.max_millimetres
    )


def _convert_landmark(
    options: PrecisionOptions,
    bundle: Bundle,
    limits: MeanLimits,
    announce: Announce,
) -> PrecisionReport:
    if options.to == "int8":
        raise UsageError(
            f"bundle {bundle.manifest.name} looks at landmarks: it has no convolutions "
            "that int8 would make faster; use --to fp16 or bf16"
        )
    announce("looking at the demo clip")
    judge = LandmarkJudge(bundle, threads=options.threads)

    def compare(bundle: Bundle) -> Verification:
        maker = comparing_maker(bundle.manifest, options.engine, options.threads)
        return judge.verify(bundle, maker)

    converter = HalfConverter(_HALVES[options.to], judge, limits, announce)
    return write_precision_bundle(
        bundle, converter, compare, limits, options.out, announce=announce
    )


def _converter(
    options: PrecisionOptions,
    bundle: Bundle,
    judge: ImageJudge,
    limits: MeanLimits,
    announce: Announce,
) -> Converter:
    if options.to != "int8":
        return HalfConverter(_HALVES[options.to], judge, limits, announce)
    assert options.calibrate is not None
    announce(f"looking at {options.calibrate}")
    crops = calibration_crops(
        bundle,
        options.calibrate,
        pictures=options.pictures,
        threads=options.threads,
    )
    return Int8Converter(
        crops,
        judge,
        limits,
        options.dialect,
        mixed=not is_untrained(bundle.manifest),
        threads=options.threads,
        announce=announce,
    )


def _verify(
    options: PrecisionOptions, bundle: Bundle, announce: Announce
) -> Verification:
    maker = comparing_maker(bundle.manifest, options.engine, options.threads)
    return verify(bundle, open_engine=maker.open, announce=announce)
