"""The command `pixie-export`."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from pixie_export.image_bundle import ImageBundleReport
from pixie_export.landmark import export_landmark
from pixie_export.official import export_official
from pixie_export.official_case import read_case
from pixie_export.precision_command import PrecisionOptions, run_precision
from pixie_export.progress import progress
from pixie_export.run import export_run
from pixie_export.tensorrt_command import (
    TensorrtOptions,
    TensorrtRtxOptions,
    run_tensorrt,
    run_tensorrt_rtx,
)
from pixie_export.trace import official_stages, trace
from pixie_export.untrained import export_untrained
from pixie_export.verification import StageReport, table
from pixie_export.verify_command import VerifyOptions, run_verify
from pixie_runtime.body import embedded_body_file, embedded_body_model, load_body_model
from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import PixieError, SinkError
from pixie_train.config import ImageConfig


@dataclass(frozen=True)
class LandmarkOptions:
    """Turn a run of `pixie-train landmark` into a bundle."""

    checkpoint: tyro.conf.Positional[Path]
    """Checkpoint of the run (`last.pt`)."""
    out: Path
    """Folder to write the bundle to."""
    body_model: Path | None = None
    """Body model the run was made with; default: the embedded CC0 body."""


@dataclass(frozen=True)
class OfficialOptions:
    """Turn the official PIXIE checkpoint and your SMPL-X file into a bundle."""

    checkpoint: tyro.conf.Positional[Path]
    """PIXIE's `pixie_model.tar`."""
    body_model: Path
    """SMPL-X's `SMPLX_NEUTRAL_2020.npz`; a copy goes into the bundle."""
    out: Path
    """Folder to write the bundle to; an older bundle there is replaced."""
    utilities: Path | None = None
    """Folder of PIXIE's unpacked `utilities.zip`, and of FLAME_albedo_from_BFM.npz if
    you have one; without it, what is lost is said."""


@dataclass(frozen=True)
class UntrainedOptions:
    """Make a bundle of random weights, to see what a choice of encoders costs."""

    out: Path
    """Folder to write the bundle to; an older bundle there is replaced."""
    body_model: Path | None = None
    """Body model; default: the embedded CC0 body."""
    seed: int = 0
    """Seed of the weights."""
    network: Annotated[ImageConfig, tyro.conf.arg(name="")] = field(
        default_factory=ImageConfig
    )
    """The network; by default as large as the paper's."""


@dataclass(frozen=True)
class RunOptions:
    """Turn a run of `pixie-train expert`, `whole` or `distil` into a bundle."""

    checkpoint: tyro.conf.Positional[Path]
    """Checkpoint of the run (`last.pt`), or the run's folder."""
    out: Path
    """Folder to write the bundle to; an older bundle there is replaced."""
    body_model: Path | None = None
    """Body model the run was made for; default: the embedded CC0 body."""
    utilities: Path | None = None
    """Folder of the release's key point files, if the run was given one."""
    crop_size: int | None = None
    """Side of the encoders' pictures in pixels; default: as in the run."""


@dataclass(frozen=True)
class TraceOptions:
    """Compute what a parity case recorded of the official network."""

    checkpoint: tyro.conf.Positional[Path]
    """The case's checkpoint."""
    assets: Path
    """Folder of the case's body model and utilities."""
    case: Path
    """Folder of the case; of what it recorded only inputs are read."""
    out: Path
    """The npz to write."""
    engine: Literal["torch", "onnxruntime"] = "onnxruntime"
    """What computes."""
    recorded_crops: bool = False
    """Let the encoders look at the case's own crops of heads and hands."""


def run_landmark(options: LandmarkOptions) -> None:
    """Export, and print how well the bundle agrees with torch."""
    path = options.body_model
    model = embedded_body_model() if path is None else load_body_model(path)
    report = export_landmark(options.checkpoint, model, options.out)
    print(f"{'output':<20}{'largest difference':>20}{'rms':>12}")
    for row in report.differences:
        print(f"{row.tensor:<20}{row.largest:>20.2e}{row.rms:>12.2e}")
    print(f"bundle: {report.folder} ({report.bytes_written / 1e6:.2f} MB)")


def run_official(options: OfficialOptions) -> None:
    """Export, and print what was read, what is lost, parity, size and what is next."""
    with progress() as announce:
        report = export_official(
            options.checkpoint,
            options.body_model,
            options.out,
            utilities=options.utilities,
            announce=announce,
        )
    for sentence in report.read:
        print(f"read {sentence}")
    for sentence in report.lost:
        print(f"note: {sentence}")
    _print_table("ONNX Runtime against torch:", report.bundle.verification.chained)
    _print_size(report.bundle)
    print("Made from your licensed files: not to be passed on.")
    folder = shlex.quote(str(report.bundle.folder))
    print(f"next: pixie-live --demo --bundle {folder} --overlay pixie.mp4")


def run_untrained(options: UntrainedOptions) -> None:
    """Export, and print size and what is next."""
    path = options.body_model or embedded_body_file()
    with progress() as announce:
        report = export_untrained(
            options.network,
            load_body_model(path),
            path,
            options.out,
            seed=options.seed,
            announce=announce,
        )
    _print_size(report)
    print(f"next: pixie-bench image {report.folder}")


def run_run(options: RunOptions) -> None:
    """Export, and print what was read, parity, size and what is next."""
    with progress() as announce:
        report = export_run(
            options.checkpoint,
            options.out,
            body_model=options.body_model,
            utilities=options.utilities,
            crop_size=options.crop_size,
            announce=announce,
        )
    print(f"read {report.read}")
    for sentence in report.notes:
        print(f"note: {sentence}")
    _print_table("ONNX Runtime against torch:", report.bundle.verification.chained)
    _print_size(report.bundle)
    folder = shlex.quote(str(report.bundle.folder))
    print(f"next: pixie-live --demo --bundle {folder} --overlay pixie.mp4")


def _print_size(report: ImageBundleReport) -> None:
    sizes = report.file_sizes
    total = sum(sizes.values()) / 1e6
    print(f"\nbundle: {report.folder} ({total:.0f} MB in {len(sizes)} files)")


def run_trace(options: TraceOptions) -> None:
    """Compute and save the results under their recorded names."""
    case = read_case(options.case, CropSpec(), recorded_crops=options.recorded_crops)
    with (
        progress() as announce,
        official_stages(
            options.checkpoint, options.assets, options.engine, announce=announce
        ) as stages,
    ):
        found = trace(case, stages, announce)
    try:
        with options.out.open("wb") as file:
            np.savez(file, **found)  # type: ignore[arg-type]
    except OSError as error:
        raise SinkError(
            f"cannot write {options.out}: {error.strerror or error}; give a file in "
            "an existing folder"
        ) from error
    print(f"{len(found)} results: {options.out}")


def _print_table(title: str, reports: Sequence[StageReport]) -> None:
    print(f"\n{title}")
    for line in table(reports):
        print(line)


_RUNS: dict[type[Any], Callable[[Any], None]] = {
    LandmarkOptions: run_landmark,
    OfficialOptions: run_official,
    PrecisionOptions: partial(run_precision, say=print),
    TensorrtOptions: partial(run_tensorrt, say=print),
    TensorrtRtxOptions: partial(run_tensorrt_rtx, say=print),
    RunOptions: run_run,
    TraceOptions: run_trace,
    UntrainedOptions: run_untrained,
    VerifyOptions: partial(run_verify, say=print),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: `pixie-export landmark|official|tensorrt|... ...`."""
    commands: dict[str, Callable[..., Any]] = {
        "landmark": LandmarkOptions,
        "official": OfficialOptions,
        "precision": PrecisionOptions,
        "run": RunOptions,
        "tensorrt": TensorrtOptions,
        "tensorrt-rtx": TensorrtRtxOptions,
        "trace": TraceOptions,
        "untrained": UntrainedOptions,
        "verify": VerifyOptions,
    }
    options = tyro.extras.subcommand_cli_from_dict(
        commands, prog="pixie-export", args=arguments
    )
    try:
        _RUNS[type(options)](options)
    except PixieError as error:
        print(f"pixie-export: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("pixie-export: stopped; nothing was written", file=sys.stderr)
        raise SystemExit(130) from None
