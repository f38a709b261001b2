"""The command `pixie-export`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tyro

from pixie_export.landmark import export_landmark
from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.errors import PixieError


@dataclass(frozen=True)
class LandmarkOptions:
    """Turn a run of `pixie-train landmark` into a bundle."""

    checkpoint: tyro.conf.Positional[Path]
    """Checkpoint of the run (`last.pt`)."""
    out: Path
    """Folder to write the bundle to."""
    body_model: Path | None = None
    """Body model the run was made with; default: the embedded CC0 body."""


def run_landmark(options: LandmarkOptions) -> None:
    """Export, and print how well the bundle agrees with torch."""
    path = options.body_model
    model = embedded_body_model() if path is None else load_body_model(path)
    report = export_landmark(options.checkpoint, model, options.out)
    print(f"{'output':<20}{'largest difference':>20}{'rms':>12}")
    for row in report.differences:
        print(f"{row.tensor:<20}{row.largest:>20.2e}{row.rms:>12.2e}")
    print(f"bundle: {report.folder} ({report.bytes_written / 1e6:.2f} MB)")


def main() -> None:
    """Entry point: `pixie-export landmark CHECKPOINT --out BUNDLE`."""
    commands: dict[str, Callable[..., LandmarkOptions]] = {"landmark": LandmarkOptions}
    try:
        run_landmark(
            tyro.extras.subcommand_cli_from_dict(commands, prog="pixie-export")
        )
    except PixieError as error:
        print(f"pixie-export: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
