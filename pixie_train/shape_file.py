"""Files of shape samples and of the Gaussians that are computed from them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.body.archive import ModelArchive
from pixie_runtime.errors import ModelFileError
from pixie_runtime.sinks.whole_file import written_whole
from pixie_train.gender import Gender, gender_of
from pixie_train.shape_gaussians import Float64, ShapeGaussian, ShapeGaussians

_FORMAT = "pixie-shape-gaussians-1"
_DISTRIBUTIONS = ("female", "male", "everyone")


@dataclass(frozen=True, eq=False)
class ShapeSamples:
    """People as points of a body model's shape space."""

    betas: Float64
    """(M, n_betas)."""
    genders: tuple[Gender, ...]
    """Each one's label."""

    def first(self, n_betas: int) -> "ShapeSamples":
        """Return the same people with the first coefficients alone."""
        return ShapeSamples(self.betas[:, :n_betas], self.genders)


def read_samples(path: Path) -> ShapeSamples:
    """Read an .npz with `betas` (M, n_betas) and `gender`, M words such as "female".

    Raises:
        ModelFileError: it is damaged, or none.
    """
    expected = 'an .npz with numbers "betas" (M, n) and M words "gender"'
    with ModelArchive(path, what="file of shape samples", expected=expected) as archive:
        betas = archive.array("betas", "f", ("M", "n"))
        genders = archive.array("gender", "U", ("M",))
    return ShapeSamples(
        np.asarray(betas, np.float64), tuple(gender_of(str(word)) for word in genders)
    )


def write_gaussians(path: Path, gaussians: ShapeGaussians, model: BodyModel) -> None:
    """Write Gaussians in the shape space of `model`.

    Raises:
        SinkError: the file cannot be written.
    """
    arrays = {"format": np.array(_FORMAT), "body_model_sha256": np.array(model.sha256)}
    for name in _DISTRIBUTIONS:
        gaussian: ShapeGaussian = getattr(gaussians, name)
        arrays[f"betas_mean_{name}"] = gaussian.mean
        arrays[f"betas_cov_{name}"] = gaussian.covariance
    with written_whole(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def gaussians_for(
    model: BodyModel, path: Path | None, n_betas: int
) -> tuple[ShapeGaussians, str | None]:
    """Return the Gaussians to train with, and a sentence if they tell no genders apart.

    Args:
        model: the body that is trained for.
        path: a file of `write_gaussians`; None: what the model's own file says.
        n_betas: how many coefficients are regressed.

    Raises:
        ModelFileError: the file is damaged, none, or of another body.
    """
    if path is not None:
        return read_gaussians(path, model).first(n_betas), None
    if model.betas_cov_female is not None:
        return ShapeGaussians.of_model(model, n_betas), None
    return ShapeGaussians.ungendered(n_betas), (
        f"the body model {model.name} does not say how women's and men's shapes are "
        "distributed, so that all shapes are compared with all people's; "
        "pixie-train shape-gaussians computes it from shapes of people"
    )


def read_gaussians(path: Path, model: BodyModel) -> ShapeGaussians:
    """Read Gaussians in the shape space of `model`.

    Raises:
        ModelFileError: the file is damaged, none, or of another body.
    """
    expected = "a file written by pixie-train shape-gaussians"
    with ModelArchive(
        path, what="file of shape Gaussians", expected=expected
    ) as archive:
        found = str(archive.array("format", "U", ()))
        if found != _FORMAT:
            raise ModelFileError(
                f'the shape Gaussians {path} have format "{found}", this version reads '
                f'"{_FORMAT}"; write them again with pixie-train shape-gaussians'
            )
        if str(archive.array("body_model_sha256", "U", ())) != model.sha256:
            raise ModelFileError(
                f"the shape Gaussians {path} were computed for another body model than "
                f"{model.name}; compute them from samples in its own shape space"
            )
        read = [
            ShapeGaussian(
                np.asarray(archive.array(f"betas_mean_{name}", "f", ("n",)), float),
                np.asarray(archive.array(f"betas_cov_{name}", "f", ("n", "n")), float),
            )
            for name in _DISTRIBUTIONS
        ]
    for name, gaussian in zip(_DISTRIBUTIONS, read, strict=True):
        if not gaussian.is_distribution():
            raise ModelFileError(
                f'"betas_cov_{name}" of the shape Gaussians {path} is no covariance '
                "(symmetric, positive definite); write the file again with pixie-train "
                "shape-gaussians"
            )
    return ShapeGaussians(*read)
