"""From people's shapes to the Gaussians of women, men and everybody."""

import numpy as np

from pixie_runtime.errors import UsageError
from pixie_train.gender import Gender
from pixie_train.shape_file import ShapeSamples
from pixie_train.shape_gaussians import Float64, ShapeGaussian, ShapeGaussians


def estimate(samples: ShapeSamples, *, shrinkage: float = 0.0) -> ShapeGaussians:
    """Return sample means and covariances of women, of men, and of all samples.

    The paper says where its statistics come from (fits to CAESAR), not how they were
    estimated; these are the usual unbiased ones, `shrinkage` apart.

    Args:
        samples: people; those of other genders or of none count for everybody.
        shrinkage: how far covariances are moved towards their diagonals, 0 to 1.

    Raises:
        UsageError: too few people to tell the coefficients apart.
    """
    if not 0 <= shrinkage <= 1:
        raise UsageError(f"the shrinkage is {shrinkage}; expected a number from 0 to 1")
    labels = np.array(samples.genders)
    chosen = {
        "women": labels == Gender.FEMALE,
        "men": labels == Gender.MALE,
        "people": np.ones(len(labels), bool),
    }
    return ShapeGaussians(
        *(
            _gaussian(who, samples.betas[mask], shrinkage)
            for who, mask in chosen.items()
        )
    )


def _gaussian(who: str, betas: Float64, shrinkage: float) -> ShapeGaussian:
    count, n_betas = betas.shape
    needed = 2 if shrinkage else n_betas + 1
    if count < needed:
        raise UsageError(
            f"the samples have {count} {who}, but a covariance of {n_betas} betas "
            f"takes {needed} or more; give more samples, fewer betas, or a shrinkage"
        )
    covariance = np.cov(betas, rowvar=False).reshape(n_betas, n_betas)
    shrunk = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance))
    gaussian = ShapeGaussian(betas.mean(0), shrunk)
    if not gaussian.is_distribution():
        raise UsageError(
            f"the shapes of the {count} {who} do not vary in every one of the "
            f"{n_betas} betas; give other samples, fewer betas, or a shrinkage"
        )
    return gaussian
