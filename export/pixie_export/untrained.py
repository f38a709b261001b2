"""A bundle of random weights: what a choice of encoders will cost, before training."""

from dataclasses import replace
from pathlib import Path

import torch

from pixie_export.bundle_folder import require_free
from pixie_export.graph_files import Announce, silent
from pixie_export.image_bundle import ImageBundleReport
from pixie_export.run import Run, write_run
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec
from pixie_train.config import ImageConfig
from pixie_train.networks.image_pixie import ImagePixie


def export_untrained(
    config: ImageConfig,
    model: BodyModel,
    body_model_path: Path,
    out: Path,
    *,
    seed: int = 0,
    announce: Announce = silent,
) -> ImageBundleReport:
    """Write a bundle that runs at a trained one's speed and understands nothing.

    Args:
        config: encoders and sizes; coefficients that the body lacks are left out.
        model: the body.
        body_model_path: the file that `model` was read from.
        out: folder of the bundle; an older bundle there is replaced.
        seed: of the weights.
        announce: is told what is done next.

    Raises:
        BundleError: `out` cannot be written.
        UsageError: there is no such encoder.
    """
    require_free(out)
    run = untrained_run(config, model, seed=seed)
    return write_run(run, model, body_model_path, out, announce=announce)


def untrained_run(config: ImageConfig, model: BodyModel, *, seed: int = 0) -> Run:
    """Return what a bundle says of a network with random weights.

    Raises:
        UsageError: there is no such encoder.
    """
    return Run(
        name="pixie-untrained",
        network=untrained_network(config, model, seed=seed),
        crops=CropSpec(),
        body_model_sha256=model.sha256,
        provenance={"made_by": "pixie-export untrained", "seed": str(seed)},
    )


def untrained_network(
    config: ImageConfig, model: BodyModel, *, seed: int = 0
) -> ImagePixie:
    """Return a network with random weights, of no more coefficients than the body's.

    Raises:
        UsageError: there is no such encoder.
    """
    core = replace(
        config.core,
        n_betas=min(config.core.n_betas, model.n_betas),
        n_expression=min(config.core.n_expression, model.n_expression),
    )
    torch.manual_seed(seed)
    return ImagePixie(replace(config, core=core)).eval()
