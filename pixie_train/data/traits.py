"""What people are like and do with their faces: shapes, expressions, jaws."""

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train import rotations
from pixie_train.data.sampling import Dice
from pixie_train.gender import Gender


class Traits:
    """Draws shapes, expressions and jaws of one body model."""

    def __init__(self, model: BodyModel, *, n_betas: int) -> None:
        self._arkit = _arkit(model)
        self._n_expression = model.n_expression
        self._shapes = _shape_statistics(model, n_betas)

    def jaws(self, dice: Dice, count: int) -> Tensor:
        """Draw the jaw's rotations (count, 1, 3, 3), half of them open."""
        angles = dice.angles(count, sd_deg=(0.8, 1.0, 0.6))
        opening = dice.uniform(count, high=0.42) * dice.chance(count, p=0.5)
        angles[:, 0] += opening
        return rotations.matrix_from_euler_xyz(angles)[:, None]

    def shapes(self, dice: Dice, count: int) -> tuple[Tensor, Tensor]:
        """Draw betas (count, n) and `Gender`s (count,): women's and men's statistics.

        Of a model that has none people are drawn, and their gender is unknown.
        """
        drawn = torch.stack(
            [
                dice.normal(count, len(mean)) @ factor.T + mean
                for mean, factor in self._shapes
            ],
            dim=1,
        )
        sex = dice.index(count, below=len(self._shapes))
        betas = drawn[torch.arange(count), sex]
        return betas, sex if len(self._shapes) > 1 else sex + int(Gender.UNKNOWN)

    def expressions(self, dice: Dice, count: int) -> Tensor:
        """Draw expressions (count, n): a few ARKit units, both sides mostly alike.

        Of a model that does not say what the units are in its expressions, as licensed
        ones do not, coefficients are standard normal: they are principal components in
        units of their standard deviation. Jaws are joints, and open with either.
        """
        if self._arkit is None:
            return dice.normal(count, self._n_expression)
        to_expression, partner = self._arkit
        units = len(partner)
        scores = dice.chance(count, units, p=0.16) * dice.uniform(count, units)
        alike = dice.chance(count, 1, p=0.75)
        return torch.where(alike, scores[:, partner], scores) @ to_expression


def _arkit(model: BodyModel) -> tuple[Tensor, list[int]] | None:
    """Return the map (units, n_expression), and for each unit the one it goes with.

    None: the model has no such map.
    """
    if model.arkit_to_expression is None or model.arkit_names is None:
        return None
    names = list(model.arkit_names)
    partner = [
        names.index(name.removesuffix("Right") + "Left")
        if name.removesuffix("Right") + "Left" in names and name.endswith("Right")
        else i
        for i, name in enumerate(names)
    ]
    # mouthLeft and mouthRight are two movements, not two sides of one.
    for name in ("mouthRight", "jawRight"):
        partner[names.index(name)] = names.index(name)
    return torch.from_numpy(np.array(model.arkit_to_expression)), partner


def _shape_statistics(model: BodyModel, n_betas: int) -> list[tuple[Tensor, Tensor]]:
    """Return mean and square root of the covariance of betas for women and men."""
    statistics = []
    for mean, cov in (
        (model.betas_mean_female, model.betas_cov_female),
        (model.betas_mean_male, model.betas_cov_male),
    ):
        if mean is None or cov is None:
            return [(torch.zeros(n_betas), torch.eye(n_betas))]
        block = torch.from_numpy(np.array(cov[:n_betas, :n_betas], np.float64))
        values, vectors = torch.linalg.eigh(block)
        factor = (vectors * values.clamp_min(0).sqrt()).float()
        statistics.append((torch.from_numpy(np.array(mean[:n_betas])), factor))
    return statistics
