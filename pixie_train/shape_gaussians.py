"""How bodies of each gender are distributed in a model's shape space.

Three normal distributions of betas: women's, men's and all people's. The embedded body
has the first two in its file. Of all people none is stored: the betas of SMPL-X and of
ours are principal components in units of their standard deviation, so that all people
are the standard normal distribution, and their distance (16) is |beta|^2.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError

Float64 = npt.NDArray[np.float64]

_ROUNDING = 1e-9
"""Variances that are smaller than this share of the largest are rounding."""


@dataclass(frozen=True, eq=False)
class ShapeGaussian:
    """A normal distribution of betas."""

    mean: Float64
    """(n_betas,)."""
    covariance: Float64
    """(n_betas, n_betas), positive definite."""

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        n = len(self.mean)
        if self.mean.shape != (n,) or self.covariance.shape != (n, n):
            raise ValueError(
                f"a mean of shape {self.mean.shape} does not go with a covariance of "
                f"shape {self.covariance.shape}"
            )

    @classmethod
    def standard(cls, n_betas: int) -> Self:
        """Return mean 0 and covariance 1."""
        return cls(np.zeros(n_betas), np.eye(n_betas))

    def is_distribution(self) -> bool:
        """Whether the covariance is one: symmetric and positive definite."""
        covariance = self.covariance
        if not np.allclose(covariance, covariance.T, atol=1e-6):
            return False
        values = np.linalg.eigvalsh(covariance)
        return bool(values[0] > _ROUNDING * values[-1])

    def first(self, n_betas: int) -> Self:
        """Return the distribution of the first coefficients alone.

        Where there are fewer, those that are missing are standard normal and
        independent of the others.
        """
        n = min(n_betas, len(self.mean))
        whole = type(self).standard(n_betas)
        mean, covariance = whole.mean, whole.covariance
        mean[:n], covariance[:n, :n] = self.mean[:n], self.covariance[:n, :n]
        return type(self)(mean, covariance)


@dataclass(frozen=True, eq=False)
class ShapeGaussians:
    """The three distributions of one shape space."""

    female: ShapeGaussian
    male: ShapeGaussian
    everyone: ShapeGaussian

    @classmethod
    def ungendered(cls, n_betas: int) -> Self:
        """Return all people's for everybody: no gender is told apart."""
        return cls(*(ShapeGaussian.standard(n_betas) for _ in range(3)))

    @classmethod
    def of_model(cls, model: BodyModel, n_betas: int) -> Self:
        """Take what the model's file says of its first `n_betas` coefficients.

        Raises:
            ModelFileError: it says nothing, as no licensed file does.
        """
        stored = (
            (model.betas_mean_female, model.betas_cov_female),
            (model.betas_mean_male, model.betas_cov_male),
        )
        genders = []
        for mean, covariance in stored:
            if mean is None or covariance is None:
                raise ModelFileError(
                    f"the body model {model.name} does not say how women's and men's "
                    "shapes are distributed; compute it from shape samples with "
                    "pixie-train shape-gaussians"
                )
            whole = ShapeGaussian(
                np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
            )
            genders.append(whole.first(n_betas))
        female, male = genders
        return cls(female, male, ShapeGaussian.standard(n_betas))

    def first(self, n_betas: int) -> Self:
        """Return the distributions of the first coefficients alone."""
        return type(self)(
            self.female.first(n_betas),
            self.male.first(n_betas),
            self.everyone.first(n_betas),
        )
