"""`pixie-train ablate`."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro
from tqdm import tqdm

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_train.ablation.claims import Findings, Scores, findings
from pixie_train.ablation.eyes import BODY_PX, Eyes
from pixie_train.ablation.pictures import covering, outlines, shapes
from pixie_train.ablation.plan import AblationPlan
from pixie_train.ablation.plots import draw_plots
from pixie_train.ablation.report import sentences, write_report
from pixie_train.ablation.run import Ablation, HeldOut
from pixie_train.ablation.visible import Visible, visible
from pixie_train.output_files import write_png

_FILM_PART = 2
"""Whose covering is shown: the right hand's."""
_SHOWN = 3
"""How many women and men the picture of shapes has."""


@dataclass(frozen=True)
class AblateOptions:
    """Reproduce the paper's claims in the small, on synthetic people.

    Moderated fusion against body alone and copy-paste, the gendered shape loss, shape
    from the head's expert. What has come out so far is in docs/ablation.md. Stopped,
    the same command goes on.
    """

    out: Path
    """Folder for everything; needs 8 GB."""
    smoke: bool = False
    """Go through everything in seconds, with pictures too few to show anything."""
    body_model: Path | None = None
    """Body model file that says how women and men differ; default: the embedded CC0
    body."""
    held_out: HeldOut = "report"
    """Whom to measure with; change steps and rates by `tune`, never by `report`."""
    threads: int = 1
    """CPU threads of the networks."""
    plan: Annotated[AblationPlan, tyro.conf.arg(name="")] = field(
        default_factory=AblationPlan
    )
    """What is trained and measured."""


def run_ablate(options: AblateOptions) -> str:
    """Do or go on with an ablation; returns what to tell the user.

    Raises:
        PixieError: the folder holds another run or cannot be written, or the body model
            does not say how women and men differ.
    """
    model = (
        load_body_model(options.body_model)
        if options.body_model
        else embedded_body_model()
    )
    plan = AblationPlan.smoke() if options.smoke else options.plan
    torch.set_num_threads(options.threads)
    with _Bars() as bars:
        ablation = Ablation(plan, model, options.out, bars, options.held_out)
        ablation.begin()
        seen = visible(
            ablation.crops("bodies"),
            ablation.crops("clean"),
            ablation.ruler(),
            plan.n_betas,
        )
        scores: list[Scores] = []
        for seed in range(plan.seeds):
            ablation.train(seed)
            scores.append(ablation.score(seed))
            # After each seed: a run that is stopped later has said something.
            paths, found = write_all(ablation, scores, seen)
    lines = [*sentences(found), *(f"written: {path}" for path in paths)]
    if options.smoke:
        lines.append("a smoke run: none of these figures means anything")
    return "\n".join(lines)


def write_all(
    ablation: Ablation, scores: list[Scores], seen: Visible
) -> tuple[list[Path], Findings]:
    """Write report, plots and pictures of the seeds that are done.

    Args:
        ablation: the run.
        scores: of its seeds.
        seen: what of gender and shape can be read at all.

    Raises:
        SinkError: one cannot be written.
    """
    found, folder = findings(scores), ablation.folder
    paths = [write_report(folder, found, seen), *draw_plots(folder, found)]
    people = ablation.pictures(ablation.held_out)
    outlined = ablation.plan.outlines
    with closing(Eyes(outlines=outlined)) as eyes:
        view = ablation.view(BODY_PX, whole=True)
        network = ablation.network(0, "moderated")
        film = covering(network, people, eyes, view, _FILM_PART)
        pictures = {"covering.png": film}
        if outlined:
            pictures["outlines.png"] = outlines(people, eyes, view)
    first = scores[0]
    pictures["shapes.png"] = shapes(
        ablation.model,
        ablation.crops("clean"),
        first["gendered/clean"],
        first["ungendered/clean"],
        _SHOWN,
    )
    for name, picture in pictures.items():
        write_png(picture, folder / name)
        paths.append(folder / name)
    return paths, found


class _Bars:
    """A progress bar with the time left, one after another for every piece."""

    def __init__(self) -> None:
        self._piece = ""
        self._bar: tqdm | None = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, piece: str, done: int, count: int) -> None:
        """Show that `done` of `count` parts of a piece are there."""
        if piece != self._piece or self._bar is None:
            self.__exit__()
            self._piece = piece
            self._bar = tqdm(total=count, desc=piece, smoothing=0.05)
        self._bar.update(done - self._bar.n)
