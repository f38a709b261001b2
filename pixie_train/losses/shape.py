"""Equation (16), the gendered shape loss: bodies that a gender is likely to have."""

import numpy as np
import torch
from torch import Tensor, nn

from pixie_train.gender import Gender
from pixie_train.losses.reduction import Cost
from pixie_train.shape_gaussians import ShapeGaussians


class GenderedShape(nn.Module):
    """Equation (16) in one model's shape space.

        (beta - mu_g)^T Sigma_g^-1 (beta - mu_g)

    The paper prints Sigma_g where the Mahalanobis distance that it names has the
    inverse; this is the distance, squared. Women and men have their own Gaussian,
    non-binary and unknown people that of everybody, for whom the paper has |beta|^2.
    """

    def __init__(self, gaussians: ShapeGaussians) -> None:
        super().__init__()
        of = {
            Gender.FEMALE: gaussians.female,
            Gender.MALE: gaussians.male,
            Gender.NON_BINARY: gaussians.everyone,
            Gender.UNKNOWN: gaussians.everyone,
        }
        chosen = [of[gender] for gender in Gender]
        # With Sigma = L L^T the distance is the length of L^-1 (beta - mu).
        whiten = [np.linalg.inv(np.linalg.cholesky(g.covariance)) for g in chosen]
        for name, arrays in (("mean", [g.mean for g in chosen]), ("whiten", whiten)):
            tensor = torch.from_numpy(np.stack(arrays)).float()
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, betas: Tensor, gender: Tensor) -> Cost:
        """Return the squared distances.

        Args:
            betas: (B, n_betas).
            gender: (B,) integers: `Gender`.
        """
        offset = betas - self.get_buffer("mean")[gender]
        standard = self.get_buffer("whiten")[gender] @ offset[..., None]
        return Cost.of_all(standard[..., 0].square().sum(-1))
