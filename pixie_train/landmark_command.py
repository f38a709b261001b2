"""`pixie-train landmark`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_train.config import TrainConfig
from pixie_train.data.motion import load_motion_bank
from pixie_train.output_files import made_folder
from pixie_train.plots import plot_history
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


def run_landmark(options: LandmarkOptions) -> str:
    """Train with a progress bar; returns where everything is.

    Raises:
        PixieError: the body model or the folder cannot be used.
    """
    model = (
        load_body_model(options.body_model)
        if options.body_model
        else embedded_body_model()
    )
    made_folder(options.out, "give another --out")
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
    return (
        f"checkpoint: {path}\nloss plot:  {plot}\n"
        f"next: pixie-export landmark {path} --out BUNDLE"
    )
