"""What of gender and shape can be read from what was seen: a bound for claims (b), (c).

A network cannot be taught what its eyes do not show. A linear read-out, fitted to the
truth of the people who are trained with and tried on the held-out ones, says how much
there is, without any of the losses that are compared.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train.ablation.crops import CropSet
from pixie_train.ablation.network import standardised, usual_of
from pixie_train.ablation.scores import Ruler
from pixie_train.gender import Gender

_RIDGE = 3000.0
SIGHTS = ("body", "head", "hands")


@dataclass(frozen=True)
class Visible:
    """What a linear read-out makes of what was seen of held-out people."""

    gender: dict[str, float]
    """Share of women and men who are told right, by whose sight: body, head, hands."""
    shape: dict[str, float]
    """Mean shape error in millimetres with betas read from each sight."""
    shape_of_gender: float
    """That error of women's and men's mean shapes where gender is known for certain."""


def visible(trained: CropSet, people: CropSet, ruler: Ruler, n_betas: int) -> Visible:
    """Fit read-outs to people who are trained with and try them on others.

    Args:
        trained: whole people.
        people: other whole people.
        ruler: what measures shapes; of `n_betas` coefficients.
        n_betas: coefficients that are read.
    """
    betas, true = trained.targets.betas[:, :n_betas], people.targets.betas
    sides = [side_of(s.targets.gender) for s in (trained, people)]

    def error(said: Tensor) -> float:
        return float(ruler.shape_errors(said, true)["shape"].mean())

    gender, shape = {}, {}
    for name in SIGHTS:
        seen, theirs = _sight(trained, name), _sight(people, name)
        known = sides[0] != 0
        told = read_out(seen[known], sides[0][known, None], theirs)[:, 0]
        asked = sides[1] != 0
        right = told[asked].sign() == sides[1][asked]
        gender[name] = float(right.float().mean())
        shape[name] = error(read_out(seen, betas, theirs))
    means = torch.zeros(len(people), n_betas)
    for side in (-1, 1):
        means[sides[1] == side] = betas[sides[0] == side].mean(0)
    return Visible(gender, shape, error(means))


def read_out(seen: Tensor, truth: Tensor, others: Tensor) -> Tensor:
    """Return the truth about others by ridge regression.

    Args:
        seen: (N, I) of those whose truth is known.
        truth: (N, T).
        others: (M, I).

    Returns:
        (M, T).
    """
    mean, spread = usual_of(seen)
    x, y = (standardised(s, mean, spread) for s in (seen, others))
    usual = truth.mean(0)
    normal = x.T @ x + _RIDGE * torch.eye(x.shape[1])
    weights = torch.linalg.solve(normal, x.T @ (truth - usual))
    said: Tensor = y @ weights + usual
    return said


def side_of(gender: Tensor) -> Tensor:
    """Return -1 for women, 1 for men, 0 for all others."""
    return (gender == Gender.MALE).float() - (gender == Gender.FEMALE).float()


def _sight(people: CropSet, name: str) -> Tensor:
    assert people.head is not None
    assert people.hands is not None
    found = {"body": people.seen, "head": people.head, "hands": people.hands}[name]
    return found.flatten(1).float()
