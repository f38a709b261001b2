import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train.gender import Gender
from pixie_train.losses.shape import GenderedShape
from pixie_train.shape_file import ShapeSamples
from pixie_train.shape_gaussians import ShapeGaussian, ShapeGaussians

WIDE = ShapeGaussian(np.array([1.0, 0.0]), np.array([[4.0, 0.0], [0.0, 1.0]]))
SLANTED = ShapeGaussian(np.array([0.0, 0.0]), np.array([[2.0, 1.0], [1.0, 2.0]]))
BY_HAND = ShapeGaussians(WIDE, SLANTED, ShapeGaussian.standard(2))


def labels(*genders: Gender) -> Tensor:
    return torch.tensor([int(gender) for gender in genders])


def test_distances_by_hand() -> None:
    """(3 - 1)^2 / 4 + 2^2; with the inverse [2 -1; -1 2] / 3; |beta|^2 for others."""
    betas = torch.tensor([[3.0, 2.0]]).expand(4, 2)
    cost = GenderedShape(BY_HAND)(betas, labels(*Gender))
    expected = torch.tensor([5.0, (2 * 9 - 2 * 6 + 2 * 4) / 3, 13.0, 13.0])
    torch.testing.assert_close(cost.value, expected)


def test_nothing_is_likelier_than_the_mean_of_ones_gender() -> None:
    loss = GenderedShape(BY_HAND)
    betas = torch.tensor([[1.0, 0.0]], requires_grad=True)
    cost = loss(betas, labels(Gender.FEMALE)).value.sum()
    (gradient,) = torch.autograd.grad(cost, betas)
    assert cost.item() == 0
    assert (gradient == 0).all()


def test_gradients_are_those_of_finite_differences() -> None:
    loss = GenderedShape(BY_HAND).double()
    betas = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda b: loss(b, labels(*Gender)).value, (betas,))


@pytest.fixture(scope="module")
def distances(model: BodyModel, strangers: ShapeSamples) -> dict[Gender, Tensor]:
    """Return strangers' distances under each label's Gaussian, (M,) each."""
    loss = GenderedShape(ShapeGaussians.of_model(model, model.n_betas))
    betas = torch.from_numpy(strangers.betas).float()
    return {
        gender: loss(betas, labels(gender).expand(len(betas))).value
        for gender in Gender
    }


@pytest.mark.parametrize(
    ("own", "other"),
    [(Gender.FEMALE, Gender.MALE), (Gender.MALE, Gender.FEMALE)],
)
def test_strangers_are_likelier_under_their_own_genders_gaussian(
    distances: dict[Gender, Tensor],
    strangers: ShapeSamples,
    own: Gender,
    other: Gender,
) -> None:
    mask = torch.tensor([gender is own for gender in strangers.genders])
    assert mask.sum() > 100
    assert distances[own][mask].mean() < 0.5 * distances[other][mask].mean()
    assert (distances[own][mask] < distances[other][mask]).float().mean() > 0.95


def test_the_embedded_bodys_gaussians_are_as_wide_as_people_are_different(
    distances: dict[Gender, Tensor], strangers: ShapeSamples
) -> None:
    """A squared Mahalanobis distance is the number of coefficients on average."""
    n_betas = strangers.betas.shape[1]
    for gender in (Gender.FEMALE, Gender.MALE):
        mask = torch.tensor([label is gender for label in strangers.genders])
        mean = distances[gender][mask].mean().item()
        assert mean == pytest.approx(n_betas, rel=0.15)
    everyone = distances[Gender.UNKNOWN].mean().item()
    assert everyone == pytest.approx(n_betas, rel=0.1)
