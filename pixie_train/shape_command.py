"""`pixie-train shape-gaussians`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.errors import UsageError
from pixie_train.gender import Gender
from pixie_train.shape_estimation import estimate
from pixie_train.shape_file import read_samples, write_gaussians


@dataclass(frozen=True)
class ShapeGaussiansOptions:
    """Compute from people's shapes how women's and men's are distributed.

    For body models whose files do not say it, as licensed ones do not.
    """

    samples: Annotated[Path, tyro.conf.Positional]
    """An .npz with `betas` (M, n), and `gender`: M words, female, male or others."""
    out: Path = Path("shape_gaussians.npz")
    """The file to write."""
    body_model: Path | None = None
    """Body model file that the betas belong to; default: the embedded CC0 body."""
    betas: int | None = None
    """How many of the coefficients to take; default: all."""
    shrinkage: float = 0.0
    """How far covariances are moved towards their diagonals, 0 to 1; for few people."""


def run_shape_gaussians(options: ShapeGaussiansOptions) -> str:
    """Write the file; returns what to tell the user.

    Raises:
        ModelFileError: a file cannot be read.
        SinkError: the result cannot be written.
        UsageError: the options or the samples do not go together.
    """
    model = (
        load_body_model(options.body_model)
        if options.body_model
        else embedded_body_model()
    )
    samples = read_samples(options.samples)
    count = options.betas or samples.betas.shape[1]
    if not 0 < count <= min(samples.betas.shape[1], model.n_betas):
        raise UsageError(
            f"{count} betas were asked for, but the samples have "
            f"{samples.betas.shape[1]} and the body model {model.name} "
            f"{model.n_betas}; give --betas with at most these"
        )
    gaussians = estimate(samples.first(count), shrinkage=options.shrinkage)
    write_gaussians(options.out, gaussians, model)
    votes = [samples.genders.count(gender) for gender in Gender]
    return (
        f"shape Gaussians: {options.out}, {count} betas of {votes[Gender.FEMALE]} "
        f"women, {votes[Gender.MALE]} men and {len(samples.genders)} people"
    )
