"""The command `pixie-train`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.errors import PixieError
from pixie_train.ablation.command import AblateOptions, run_ablate
from pixie_train.config import TrainConfig
from pixie_train.data.motion import load_motion_bank
from pixie_train.detail.commands import (
    DetailMeshOptions,
    DetailOptions,
    run_detail,
    run_detail_mesh,
)
from pixie_train.distillation.command import DistilOptions, run_distil
from pixie_train.evaluation.command import EvaluateOptions, run_evaluate
from pixie_train.faces.commands import (
    FaceLandmarksOptions,
    FaceMasksOptions,
    run_face_landmarks,
    run_face_masks,
)
from pixie_train.picture_commands import (
    ContactSheetOptions,
    SynthesiseOptions,
    run_contact_sheet,
    run_synthesise,
)
from pixie_train.picture_training.commands import (
    ExpertOptions,
    WholeOptions,
    run_expert,
    run_whole,
)
from pixie_train.plots import plot_history
from pixie_train.shape_command import ShapeGaussiansOptions, run_shape_gaussians
from pixie_train.training import train


@dataclass(frozen=True)
class LandmarkOptions:
    """Train the landmark variant of PIXIE on synthetic people."""

    out: Path = Path("runs/landmark")
    """Folder of the run: checkpoint, loss plot. A run found there is resumed."""
    body_model: Path | None = None
    """Body model file; default: the embedded CC0 body."""
    config: Annotated[TrainConfig, tyro.conf.arg(name="")] = field(
        default_factory=TrainConfig
    )
    """The run."""


def run_landmark(options: LandmarkOptions) -> None:
    """Train with a progress bar; ends by saying where everything is."""
    model = (
        load_body_model(options.body_model)
        if options.body_model
        else embedded_body_model()
    )
    options.out.mkdir(parents=True, exist_ok=True)
    with tqdm(total=options.config.steps, unit="step", smoothing=0.05) as bar:

        def report(step: int, figures: dict[str, float]) -> None:
            bar.update(step - bar.n)
            shown = ("loss", "mpjpe_mm", "root_deg", "wrist_deg", "fingers_mm")
            bar.set_postfix(
                {name: f"{figures[name]:.2f}" for name in shown if name in figures}
            )
            if "mpjpe_mm" in figures:
                tqdm.write(
                    f"step {step}: "
                    + ", ".join(f"{n} {figures[n]:.2f}" for n in figures)
                )

        path = train(options.config, model, load_motion_bank(), options.out, report)
    plot = plot_history(path)
    print(f"checkpoint: {path}\nloss plot:  {plot}")
    print(f"next: pixie-export landmark {path} --out BUNDLE")


Options = (
    AblateOptions
    | ContactSheetOptions
    | EvaluateOptions
    | DistilOptions
    | DetailMeshOptions
    | DetailOptions
    | ExpertOptions
    | FaceLandmarksOptions
    | FaceMasksOptions
    | LandmarkOptions
    | ShapeGaussiansOptions
    | SynthesiseOptions
    | WholeOptions
)
_COMMANDS: dict[str, Callable[..., Options]] = {
    "landmark": LandmarkOptions,
    "expert": ExpertOptions,
    "whole": WholeOptions,
    "evaluate": EvaluateOptions,
    "synthesise": SynthesiseOptions,
    "contact-sheet": ContactSheetOptions,
    "detail": DetailOptions,
    "detail-mesh": DetailMeshOptions,
    "face-landmarks": FaceLandmarksOptions,
    "face-masks": FaceMasksOptions,
    "shape-gaussians": ShapeGaussiansOptions,
    "distil": DistilOptions,
    "ablate": AblateOptions,
}


def run(options: Options) -> None:
    """Do what a command's options say."""
    match options:
        case AblateOptions():
            print(run_ablate(options))
        case ContactSheetOptions():
            print(run_contact_sheet(options))
        case EvaluateOptions():
            print(run_evaluate(options))
        case DistilOptions():
            print(run_distil(options))
        case DetailMeshOptions():
            print(run_detail_mesh(options))
        case DetailOptions():
            print(run_detail(options))
        case ExpertOptions():
            print(run_expert(options))
        case WholeOptions():
            print(run_whole(options))
        case FaceLandmarksOptions():
            print(run_face_landmarks(options))
        case FaceMasksOptions():
            print(run_face_masks(options))
        case ShapeGaussiansOptions():
            print(run_shape_gaussians(options))
        case SynthesiseOptions():
            print(run_synthesise(options))
        case LandmarkOptions():
            run_landmark(options)


def main() -> None:
    """Entry point: `pixie-train COMMAND [options]`."""
    try:
        run(tyro.extras.subcommand_cli_from_dict(_COMMANDS, prog="pixie-train"))
    except PixieError as error:
        print(f"pixie-train: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("pixie-train: stopped; the same command resumes", file=sys.stderr)
        raise SystemExit(130) from None
